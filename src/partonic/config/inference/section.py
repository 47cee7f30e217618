"""The section `inference` of an analysis file: from coefficients of events to limits on the theory parameters."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, PositiveFloat, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.curves import CurveConfig
from partonic.config.inference.components import BackgroundConfig, ComponentConfig, ConstraintConfig
from partonic.config.inference.experiments import CoverageConfig, ToysConfig
from partonic.config.inference.outputs import HistogramConfig, PyhfConfig, ScanConfig
from partonic.config.inference.template import TemplateConfig
from partonic.config.names import nearest
from partonic.config.paths import LocalPath, NameOrPath
from partonic.estimator_registry import estimator_names, find_estimator, is_estimator

__all__ = ["InferenceConfig"]

Theta = Mapping[str, float]


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
    parton truth of simulated events, the bound of what any method can reach; ``sbi``, the ratios that the section
    `sbi` learns, and ``sbi.<name>`` those of its variant in `sbi.also`; or an estimator of another package. A file of
    coefficients that says otherwise is refused."""

    coefficients: LocalPath | None = None
    """File of the coefficients of the signal; null: ``mem/<process>.parquet`` for ``mem``, and that of the same name in
    a folder of the name of `source` for others."""

    calibration: NameOrPath | None = None
    """Calibration of the coefficients of the signal: a file written by `partonic calibrate`, or ``pretrained`` for the
    one that ships with the models of the process; null for none. Parton truth needs none."""

    calibrations: dict[str, NameOrPath] = Field(default_factory=dict)
    """Calibrations of the other estimators that are compared (`compare`), by the name of their source, e.g.
    ``{mem: pretrained}``. Coefficients that are learned here are calibrated without being named."""

    ensemble: tuple[LocalPath, ...] = ()
    """Coefficients of the same events with networks trained anew; their scatter is the error of the training."""

    weight_samples: bool = True
    """Use the coefficients of all sets of weights, where the file of the signal has them (`mem.weight_samples`): the
    scatter of their likelihoods is the error of the training, too."""

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
    """Expected intervals, information and curves of parton truth, of every estimator that the analysis has (`mem`,
    `classical`, `sbi` and its variants), of optimal observables in bins, of `binned` histograms and of the rate beside
    each other, from the simulated events of the signal that all of them know, without backgrounds."""

    binned: dict[str, HistogramConfig] = Field(default_factory=dict)
    """Histograms by name that are compared, too, with `compare: true`: what an analysis of one or two observables would
    reach."""

    toys: ToysConfig | None = None
    """Intervals from pseudo-experiments; null for none."""

    coverage: CoverageConfig | None = None
    """Study of coverage; null for none."""

    pyhf: PyhfConfig | None = None
    """Binned templates and data for pyhf, ``infer/workspace.json``; null for none."""

    template: TemplateConfig | None = None
    """One template of the likelihood ratio at a θ* that is given or found, in signal and control regions, beside the
    unbinned likelihood; null for none."""

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
        if not is_estimator(self.source):
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
    def _components_are_of_the_source(self) -> "InferenceConfig":
        if self.components and not find_estimator(self.source).has_components:
            message = f"'{self.source}' gives no densities of further processes that depend on θ: use `source: mem`"
            raise SettingError(("components",), message)
        return self

    @model_validator(mode="after")
    def _files_are_of_the_source(self) -> "InferenceConfig":
        if str(self.calibration) == "pretrained" and self.source not in ("mem", "truth"):
            message = f"the calibration that ships is of coefficients of 'mem', not of '{self.source}': name a file"
            raise SettingError(("calibration",), message)
        for name, calibration in self.calibrations.items():
            if not is_estimator(name):
                message = f"there is no estimator '{name}'; {nearest(name, estimator_names())}"
                raise SettingError(("calibrations", name), message)
            if str(calibration) == "pretrained" and name != "mem":
                message = f"the calibration that ships is of coefficients of 'mem', not of '{name}': name a file"
                raise SettingError(("calibrations", name), message)
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
        if self.template is not None and (self.curves or self.components):
            message = "a template is of one signal in its own parameters: leave out `curves` and `components`"
            raise SettingError(("template",), message)
        if self.template is not None and self.data == "events":
            message = (
                "`template` fits pseudo-data or an Asimov sample, for its bins are filled with the same simulated "
                "events: set `data: pseudo`, or leave out `template`"
            )
            raise SettingError(("template",), message)
        if self.pyhf is not None and self.constraints:
            message = "a workspace of pyhf holds no constraints on theory parameters: leave out `constraints`"
            raise SettingError(("pyhf",), message)
        return self

    @property
    def reads_coefficients(self) -> bool:
        """Whether the coefficients of the signal are in a file; if not, the simulated events have them.

        They are, if they were made by an estimator that is not installed here.
        """
        return not is_estimator(self.source) or find_estimator(self.source).has_file

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
        if self.template is not None:
            for place, values in self.template.theta_points():
                yield ("template", *place), values
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
        if self.template is None:
            del found["template"]
        if not self.binned:
            del found["binned"]
        if not self.calibrations:
            del found["calibrations"]
        if self.coverage is not None and self.coverage.toys is None:
            del found["coverage"]["toys"]
        return found
