"""One template: events in bins of the likelihood ratio at one θ*, in signal and control regions, with backgrounds."""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.paths import LocalPath

__all__ = ["TemplateBackgroundConfig", "TemplateConfig", "TemplateRegionConfig", "TemplateSearchConfig"]


class TemplateRegionConfig(StrictModel):
    """A region of reconstructed events. No event may be in two regions; those in none are left out."""

    where: dict[str, tuple[float | None, float | None]] = Field(min_length=1)
    """Ranges of observables of the reconstructed objects, all of which an event must be in: lowest value, which is
    within, and highest, which is not; null for no bound. GeV and radians: ``{higgs_candidate_mass: [90, 150]}``."""

    bins: int = Field(8, ge=1)
    """Most bins of the ratio; 1 counts the events of the region, as in a control region."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "TemplateRegionConfig":
        for name, (low, high) in self.where.items():
            if low is not None and high is not None and not low < high:
                raise SettingError(("where", name), f"expected a lowest and a larger highest value, got {[low, high]}")
        return self


class TemplateBackgroundConfig(StrictModel):
    """A background of the template, from simulated events that do not depend on θ."""

    store: LocalPath
    """Their event store, with detector and selection of the signal."""

    coefficients: LocalPath
    """File of their coefficients under the signal, made by the same estimator as those of the signal."""

    uncertainty: float | None = Field(None, ge=0.0)
    """Relative uncertainty of its normalisation, a Gaussian constraint; 0 fixes it, null leaves it free."""

    scale: float = Field(1.0, gt=0.0)
    """Factor on the cross section of the store, e.g. for corrections of QCD."""


class TemplateSearchConfig(StrictModel):
    """Bayesian optimisation of θ*."""

    trials: int = Field(150, ge=1)
    """Points θ* that are tried: first two on the axis of each parameter, then those that the sampler proposes."""

    sampler: Literal["tpe", "gp"] = "tpe"
    """Who proposes: ``tpe``, estimates of the densities of good and bad points; ``gp``, a Gaussian process (slower)."""

    merit: Literal["intervals", "information"] = "intervals"
    """What is made small: ``intervals``, the mean logarithm of the lengths of the expected intervals in the Standard
    Model, of each parameter while the others are known; ``information``, minus half the logarithm of the determinant of
    the Fisher information there. Normalisations of backgrounds are fitted along in both."""

    range: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Lowest and highest value of θ* by parameter; by default ± the value at which the quadratic term of the cross
    section is as large as the constant one, about the Standard Model."""

    share: float = Field(0.5, gt=0.0, lt=1.0)
    """Part of the simulated events that θ* and edges are sought on; expected intervals are those of the others, so that
    they do not profit from the fluctuations that the search has found."""

    @model_validator(mode="after")
    def _ranges_ascend(self) -> "TemplateSearchConfig":
        for name, (low, high) in self.range.items():
            if not low < high:
                raise SettingError(("range", name), f"the range must ascend, got {low} to {high}")
        return self


class TemplateConfig(StrictModel):
    """A template of r(x|θ*, θ_SM) in regions, its expected intervals, and what it keeps of the information."""

    theta_star: dict[str, float] | None = None
    """θ*, at the Standard Model where a parameter is not named; null: found by `search`, which needs
    `partonic[optimise]`."""

    regions: dict[str, TemplateRegionConfig] = Field(default_factory=dict)
    """Regions by name; none: all events are one region with `bins`."""

    score: Literal["signal", "mixture"] = "signal"
    """Which ratio is binned: ``signal``, r(x|θ*, θ_SM) of the signal; ``mixture``, that of the signal together with the
    backgrounds of `inference.backgrounds`, by what the estimator has learned of them: 1 for events that can be
    background only, however much they look like the signal at θ*."""

    bins: int = Field(8, ge=2)
    """Most bins of the ratio where no regions are given."""

    tail: float = Field(0.5, ge=0.0, le=1.0)
    """Edges are quantiles of a mixture of the signal at θ* (this part) and in the Standard Model (the rest): with 0 all
    bins have equal yields in the Standard Model, with more the bins at large ratios are finer."""

    min_events: int = Field(20, ge=1)
    """Fewest simulated signal events of a bin; bins with fewer are joined to the next lower one. Copies
    of a parton event count once."""

    min_background_events: int = Field(5, ge=0)
    """Fewest simulated background events of a bin, so that no bin is free of background for want of simulation."""

    backgrounds: dict[str, TemplateBackgroundConfig] = Field(default_factory=dict)
    """Backgrounds by name; none: those of `inference.backgrounds`, with their normalisations."""

    search: TemplateSearchConfig = TemplateSearchConfig()
    """How θ* is found."""

    workspace: bool = False
    """Write templates and data for pyhf, ``infer/template_workspace.json``."""

    @model_validator(mode="after")
    def _something_varies(self) -> "TemplateConfig":
        if self.regions and all(region.bins == 1 for region in self.regions.values()):
            message = "no region has bins of the ratio: give one of them 2 `bins` or more"
            raise SettingError(("regions",), message)
        if "signal" in self.backgrounds:
            raise SettingError(("backgrounds", "signal"), "'signal' is the name of the signal")
        return self

    def theta_points(self) -> Iterator[tuple[tuple[str | int, ...], Mapping[str, float]]]:
        """Yield every mapping from theory parameters to values, with where it is in the section."""
        yield ("theta_star",), self.theta_star or {}
        yield ("search", "range"), dict.fromkeys(self.search.range, 0.0)
