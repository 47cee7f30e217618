"""The section `inference` of an analysis file: from coefficients of events to limits on the theory parameters."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, PositiveFloat, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.curves import CurveConfig
from partonic.config.names import nearest
from partonic.config.paths import LocalPath, NameOrPath
from partonic.estimator_registry import estimator_names, find_estimator

__all__ = [
    "BackgroundConfig",
    "BackgroundEventsConfig",
    "ComponentConfig",
    "ConstraintConfig",
    "CoverageConfig",
    "HistogramConfig",
    "InferenceConfig",
    "PyhfConfig",
    "ScanConfig",
    "ToyCoverageConfig",
    "ToysConfig",
]

Theta = Mapping[str, float]


class ConstraintConfig(StrictModel):
    """A Gaussian constraint on a theory parameter, e.g. of another measurement."""

    centre: float = 0.0
    """Its centre."""

    width: float = Field(gt=0.0)
    """Its standard deviation."""


class BackgroundEventsConfig(StrictModel):
    """Simulated events of a background, which pseudo-data and pseudo-experiments draw from."""

    store: LocalPath
    """Their event store."""

    coefficients: dict[str, LocalPath]
    """Files with their coefficients under each hypothesis: ``signal`` and the names of all backgrounds."""


class BackgroundConfig(StrictModel):
    """A background, whose density and rate do not depend on θ."""

    uncertainty: float | None = Field(0.0, ge=0.0)
    """Relative uncertainty of its normalisation, a Gaussian constraint; 0 fixes it, null leaves it free."""

    cross_section: float | None = Field(None, gt=0.0)
    """Fiducial cross section in pb; null: the one that travels with its coefficients."""

    coefficients: LocalPath | None = None
    """File of log P_b(x) of the same events as those of the signal; null: ``mem/<name>.parquet``."""

    events: BackgroundEventsConfig | None = None
    """Its simulated events; null if there are none: then it enters no pseudo-data, and only real data can be fitted."""


class ComponentConfig(StrictModel):
    """A component beside the signal whose density and rate depend on theory parameters, e.g. tHq beside tt̄H.

    Parameters of the same name are one parameter of the fit. Its cross section travels with its coefficients.
    """

    coefficients: LocalPath | None = None
    """File of its coefficients of the same events as those of the signal; null: ``mem/<name>.parquet``."""

    uncertainty: float | None = Field(0.0, ge=0.0)
    """Relative uncertainty of its normalisation, a Gaussian constraint; 0 fixes it, null leaves it free."""

    map: dict[str, str | float] = Field(default_factory=dict)
    """Its parameters as sums of numbers and parameters of the fit, e.g. ``kappa_e: 1 + delta_kappa_t``; those not named
    are parameters of the fit themselves."""

    events: BackgroundEventsConfig | None = None
    """Its simulated events; null if there are none: then it enters no pseudo-data."""


class ScanConfig(StrictModel):
    """Scans of the likelihood."""

    points: int = Field(41, ge=5)
    """Points of the scan of one parameter."""

    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Lowest and highest value by parameter; by default as wide as the intervals need."""

    contours: tuple[tuple[str, str], ...] | None = None
    """Pairs of parameters to scan together; null: all pairs of theory parameters that are fitted."""

    contour_points: int = Field(25, ge=5)
    """Points along each side of such a scan."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "ScanConfig":
        for name, (low, high) in self.ranges.items():
            if not low < high:
                raise SettingError(("ranges", name), f"the range must ascend, got {low} to {high}")
        for index, (first, second) in enumerate(self.contours or ()):
            if first == second:
                raise SettingError(("contours", index), f"a pair needs two parameters, got '{first}' twice")
        return self


class ToyCoverageConfig(StrictModel):
    """Coverage of intervals from pseudo-experiments (toys), at the points of the study of coverage."""

    experiments: int = Field(150, ge=2)
    """Data sets at each point."""

    toys: int = Field(200, ge=20)
    """Toys of each data set, from which its interval follows."""

    parameters: tuple[str, ...] | None = None
    """Theory parameters whose intervals are looked at; null: all that are fitted."""


class CoverageConfig(StrictModel):
    """A study of coverage by pseudo-experiments."""

    points: tuple[dict[str, float], ...] = Field(({},), min_length=1)
    """True θ of the experiments; parameters not named are at their values in the Standard Model."""

    experiments: int = Field(500, ge=2)
    """Pseudo-experiments at each point."""

    toys: ToyCoverageConfig | None = None
    """Coverage of intervals from toys, too; null for none. It takes `experiments` × `toys` fits a point."""


class PyhfConfig(StrictModel):
    """Templates of the optimal observables of one parameter, R_1 and R_2, as a workspace of pyhf."""

    parameter: str
    """Theory parameter whose optimal observables are binned."""

    bins: tuple[int, int] = (5, 4)
    """Bins of R_2, and of R_1 in each of them, of equal weight of the simulated signal at its reference point."""

    @model_validator(mode="after")
    def _some_bins(self) -> "PyhfConfig":
        if min(self.bins) < 1:
            raise SettingError(("bins",), f"expected one bin or more of each observable, got {list(self.bins)}")
        return self


class HistogramConfig(StrictModel):
    """A histogram of one or two observables, whose expected intervals stand beside those of the likelihood."""

    edges: dict[str, tuple[float, ...]] = Field(min_length=1, max_length=2)
    """Edges between the bins by observable, one or two; the outermost bins are open. Of two, every bin of the first is
    divided by the edges of the second. GeV and radians."""

    of: Literal["objects", "partons"] = "objects"
    """``objects``: observables of the reconstructed events; ``partons``: those of the partons that the process has."""

    @model_validator(mode="after")
    def _edges_ascend(self) -> "HistogramConfig":
        for name, edges in self.edges.items():
            if not edges or list(edges) != sorted(set(edges)):
                message = f"the edges between bins must ascend, and be one or more, got {list(edges)}"
                raise SettingError(("edges", name), message)
        return self


class ToysConfig(StrictModel):
    """Intervals from pseudo-experiments (Feldman–Cousins) beside the asymptotic ones."""

    experiments: int = Field(200, ge=20)
    """Pseudo-experiments at each value of a parameter."""

    points: int = Field(15, ge=3)
    """Values of each parameter."""

    parameters: tuple[str, ...] | None = None
    """Theory parameters that get such an interval; null: all that are fitted."""


class InferenceConfig(StrictModel):
    """The likelihood of a sample of events, its intervals, and whether they cover."""

    luminosity: float = Field(300.0, gt=0.0)
    """Integrated luminosity in fb⁻¹."""

    luminosity_uncertainty: float = Field(0.0, ge=0.0, lt=1.0)
    """Its relative uncertainty, a Gaussian constraint; 0 for none."""

    parameters: tuple[str, ...] | None = None
    """Theory parameters that are fitted; null: all that are not in `fixed`."""

    fixed: dict[str, float] = Field(default_factory=dict)
    """Values of theory parameters that are not fitted; those neither fitted nor named here are at their
    value in the Standard Model."""

    signal_strength: Literal["fixed", "free"] = "fixed"
    """Whether the signal is multiplied with a factor that is fitted."""

    standard_model: dict[str, float] | None = None
    """Values of theory parameters in the Standard Model, 0 where not named; null: those of the process of the events.
    They are what every point of theory parameters here has where a parameter is not named."""

    curves: dict[str, CurveConfig] = Field(default_factory=dict)
    """Curves through the space of theory parameters by the name of the one number that is fitted in place of those on
    the curve, e.g. ``alpha: {kind: circle, cosine: {kappa_e: 1}, sine: {kappa_o: 1}}``."""

    components: dict[str, ComponentConfig] = Field(default_factory=dict)
    """Further components that depend on theory parameters, by name."""

    constraints: dict[str, ConstraintConfig] = Field(default_factory=dict)
    """Gaussian constraints on theory parameters."""

    source: str = "mem"
    """Who made the coefficients: ``mem``, the matrix element method; ``classical``, its classical form; ``truth``, the
    parton truth of simulated events, the bound of what any method can reach; or an estimator of another package. A
    file of coefficients that says otherwise is refused."""

    coefficients: LocalPath | None = None
    """File of the coefficients of the signal; null: ``mem/<process>.parquet`` for ``mem``, and that of the same name in
    a folder of the name of `source` for others."""

    calibration: NameOrPath | None = None
    """Calibration of the coefficients of the signal: a file written by `partonic calibrate`, or ``pretrained`` for the
    one that ships with the models of the process; null for none. Parton truth needs none."""

    ensemble: tuple[LocalPath, ...] = ()
    """Coefficients of the same events with networks trained anew; their scatter is the error of the training."""

    backgrounds: dict[str, BackgroundConfig] = Field(default_factory=dict)
    """Backgrounds by name."""

    data: Literal["pseudo", "asimov", "events"] = "pseudo"
    """What is fitted: ``pseudo``, a pseudo-experiment drawn from the simulated events; ``asimov``, all of them with
    their expected numbers; ``events``, each event once, as they are (real data)."""

    truth: dict[str, float] | None = None
    """θ of the pseudo-data; null: the one at which the events were generated."""

    seed: int | None = Field(None, ge=0)
    """Seed of pseudo-data and pseudo-experiments; null: the one of the analysis."""

    shape_only: bool = False
    """Leave the number of events out of the likelihood."""

    normalisation: Literal["cross_section", "mean_ratios"] = "cross_section"
    """What the densities are normalised with: the fiducial cross sections σ_a, or, for ratios that are biased,
    σ_0 times the mean ratios of the simulated events at θ = 0, which takes the bias of the score there away."""

    non_positive: Literal["floor", "error"] = "floor"
    """Events whose density is not positive at the best fit, which noise of the coefficients can bring about: ``floor``
    gives them a small positive one and counts them; ``error`` stops."""

    floor: PositiveFloat = 1e-4
    """That small density, in units of the event's density at θ = 0."""

    correct_bias: bool = True
    """Take the bias off that noise of the coefficients gives the logarithm of a density."""

    levels: tuple[float, ...] = Field((0.68, 0.95), min_length=1)
    """Confidence levels."""

    scan: ScanConfig = ScanConfig()
    """Scans."""

    expected: tuple[dict[str, float], ...] = ({},)
    """θ points whose expected limits are computed (Asimov); empty for none."""

    compare: bool = False
    """Expected intervals of parton truth, of optimal observables in bins and of the rate beside those of the unbinned
    likelihood, from the simulated events of the signal, without backgrounds."""

    binned: dict[str, HistogramConfig] = Field(default_factory=dict)
    """Histograms by name that are compared, too, with `compare: true`: what an analysis of one or two observables would
    reach."""

    toys: ToysConfig | None = None
    """Intervals from pseudo-experiments; null for none."""

    coverage: CoverageConfig | None = None
    """Study of coverage; null for none."""

    pyhf: PyhfConfig | None = None
    """Binned templates and data for pyhf, ``infer/workspace.json``; null for none."""

    workers: int | None = Field(None, ge=1)
    """Worker processes of pseudo-experiments; null: one for each core."""

    scheduler: str | None = None
    """Address of a Dask scheduler, in place of worker processes; its workers must see the output folder."""

    @model_validator(mode="after")
    def _consistent(self) -> "InferenceConfig":
        for level in self.levels:
            if not 0 < level < 1:
                raise SettingError(("levels",), f"a confidence level is between 0 and 1, got {level}")
        for name in self.parameters or ():
            if name in self.fixed:
                raise SettingError(("fixed", name), f"'{name}' is both fitted (`parameters`) and fixed")
        if self.source not in estimator_names():
            raise SettingError(
                ("source",), f"there is no estimator '{self.source}'; {nearest(self.source, estimator_names())}"
            )
        if (self.backgrounds or self.components) and not find_estimator(self.source).has_densities:
            what = "parton truth" if self.source == "truth" else f"'{self.source}'"
            message = f"{what} gives no density of a background: use `source: mem`, or no backgrounds"
            raise SettingError(("source",), message)
        if self.components and self.ensemble:
            raise SettingError(("ensemble",), "an ensemble of networks is not supported with further components")
        for name in self.curves:
            if name in {each for curve in self.curves.values() for each in curve.on_it()}:
                raise SettingError(("curves", name), f"'{name}' is on a curve itself; give the curve another name")
        for name in self.components:
            if name in self.backgrounds or name == "signal":
                raise SettingError(("components", name), f"'{name}' is the name of another component")
        if self.data == "events" and (self.coverage or self.toys) and self.normalisation == "mean_ratios":
            message = "mean ratios come from simulated events: use `normalisation: cross_section` with `data: events`"
            raise SettingError(("normalisation",), message)
        return self

    @model_validator(mode="after")
    def _files_are_of_the_source(self) -> "InferenceConfig":
        if str(self.calibration) == "pretrained" and self.source not in ("mem", "truth"):
            message = f"the calibration that ships is of coefficients of 'mem', not of '{self.source}': name a file"
            raise SettingError(("calibration",), message)
        if self.coefficients is not None and not self.reads_coefficients:
            message = (
                f"'{self.source}' comes from the events themselves: leave out `coefficients`, or name their source"
            )
            raise SettingError(("coefficients",), message)
        return self

    @model_validator(mode="after")
    def _histograms_are_compared(self) -> "InferenceConfig":
        if self.binned and not self.compare:
            raise SettingError(("binned",), "histograms are part of the comparison of methods: set `compare: true`")
        return self

    @model_validator(mode="after")
    def _templates_possible(self) -> "InferenceConfig":
        if self.pyhf is not None and (self.curves or self.components):
            message = "templates for pyhf are of one signal in its own parameters: leave out `curves` and `components`"
            raise SettingError(("pyhf",), message)
        if self.pyhf is not None and self.constraints:
            message = "a workspace of pyhf holds no constraints on theory parameters: leave out `constraints`"
            raise SettingError(("pyhf",), message)
        return self

    @property
    def reads_coefficients(self) -> bool:
        """Whether the coefficients of the signal are in a file; if not, the simulated events have them.

        They are, if they were made by an estimator that is not installed here.
        """
        return self.source not in estimator_names() or find_estimator(self.source).has_file

    def theta_points(self) -> Iterator[tuple[tuple[str | int, ...], Theta]]:
        """Yield every mapping from theory parameters to values, with where it is in the section.

        Parameters that curves or further components bring are left out: `partonic.inference` checks them.
        """
        brought = {*self.curves, *(name for each in self.components.values() for name in each.map)}
        for place, point in self._all_theta_points():
            yield place, {name: value for name, value in point.items() if name not in brought}

    def _all_theta_points(self) -> Iterator[tuple[tuple[str | int, ...], Theta]]:
        yield ("standard_model",), self.standard_model or {}
        for name, curve in self.curves.items():
            yield ("curves", name), dict.fromkeys(curve.on_it(), 0.0)
        yield ("parameters",), dict.fromkeys(self.parameters or (), 0.0)
        yield ("fixed",), self.fixed
        yield ("constraints",), dict.fromkeys(self.constraints, 0.0)
        yield ("truth",), self.truth or {}
        for index, point in enumerate(self.expected):
            yield ("expected", index), point
        if self.coverage is not None:
            for index, point in enumerate(self.coverage.points):
                yield ("coverage", "points", index), point
            if self.coverage.toys is not None:
                yield ("coverage", "toys", "parameters"), dict.fromkeys(self.coverage.toys.parameters or (), 0.0)
        if self.pyhf is not None:
            yield ("pyhf", "parameter"), {self.pyhf.parameter: 0.0}
        if self.toys is not None:
            yield ("toys", "parameters"), dict.fromkeys(self.toys.parameters or (), 0.0)
        yield ("scan", "ranges"), dict.fromkeys(self.scan.ranges, 0.0)
        for index, pair in enumerate(self.scan.contours or ()):
            yield ("scan", "contours", index), dict.fromkeys(pair, 0.0)

    def physics(self) -> dict[str, object]:
        """Return everything that the result depends on: all but where the experiments run."""
        found = self.model_dump(mode="json", exclude={"workers", "scheduler"})
        # What is not asked for leaves no trace, so that results from before there were these settings stay valid.
        if self.pyhf is None:
            del found["pyhf"]
        if not self.binned:
            del found["binned"]
        if self.coverage is not None and self.coverage.toys is None:
            del found["coverage"]["toys"]
        return found
