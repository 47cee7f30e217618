"""The section `generation` of an analysis file: how many events, at which θ, and how the sampler is trained."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = [
    "FULL_SAMPLER",
    "QUICK_SAMPLER",
    "VEGAS_SAMPLER",
    "BiasConfig",
    "ChannelSamplerConfig",
    "GenerationConfig",
    "OverweightPolicy",
    "PowerBiasConfig",
    "SamplerConfig",
]

OverweightPolicy = Literal["keep", "repeat", "truncate"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class ChannelSamplerConfig(StrictModel):
    """Settings of a sampling with several channels, in place of those of the same name of `SamplerConfig`.

    Each point evaluates only a part of the process, which costs less than a step of the training on it, so that new
    points are better than old ones.
    """

    vegas_points: int = Field(60_000, ge=100)
    """Points of all channels together per adaptation of the VEGAS grids."""

    points_per_round: int = Field(100_000, ge=100)
    """New points of all channels together per round."""

    learning_rate: Positive = 8e-3
    """Largest learning rate of Adam; it warms up over the first steps and falls to zero along a cosine."""

    least_share: float = Field(0.1, gt=0, lt=1)
    """Least share of the points that a channel gets, in units of the equal one. It keeps the integral unbiased: a
    channel that is trained away would never get a point again."""

    drop_below: float = Field(1e-3, ge=0, lt=0.5)
    """Where several maps cover the same partonic channels, one that brings less than this share of them is dropped
    after the adaptation of the grids, and the weights of the others sum to one. 0 keeps all."""


class SamplerConfig(StrictModel):
    """Neural importance sampling: a VEGAS grid, then a normalizing flow that starts from it.

    The defaults are the full preset: about three minutes on one core for ttH. `QUICK_SAMPLER` is ready in under one.
    """

    vegas_iterations: int = Field(8, ge=1, le=100)
    """Number of adaptations of the VEGAS grid."""

    vegas_points: int = Field(20_000, ge=100)
    """Points per adaptation of the VEGAS grid."""

    vegas_bins: int = Field(64, ge=4, le=4096)
    """Bins of the VEGAS grid along each dimension."""

    vegas_damping: float = Field(0.7, ge=0, le=2)
    """Exponent α that damps the adaptation of the grid: 0 never adapts, larger is faster and less stable."""

    layers: int = Field(3, ge=2, le=10)
    """Linear layers of each coupling network."""

    units: int = Field(64, ge=4, le=4096)
    """Hidden units of each layer."""

    bins: int = Field(12, ge=2, le=128)
    """Bins of the rational-quadratic splines; not more than `vegas_bins`."""

    harmonics: int = Field(4, ge=0, le=64)
    """Cosines cos(πkx), k = 1 ... harmonics, of each condition that the coupling networks see besides x itself."""

    rounds: int = Field(20, ge=0, le=10_000)
    """Training rounds; 0: the VEGAS grid alone. Each draws new points, adds them to the buffer and trains on the
    buffer; a checkpoint is written after each."""

    points_per_round: int = Field(40_000, ge=100)
    """New points per round, each one evaluation of the matrix element."""

    steps_per_round: int = Field(100, ge=1)
    """Optimization steps per round."""

    buffer_rounds: int = Field(6, ge=1)
    """Number of latest rounds whose points are kept and trained on."""

    batch_size: int = Field(2048, ge=16)
    """Points per optimization step."""

    learning_rate: Positive = 6e-3
    """Largest learning rate of Adam; it warms up over the first steps and falls to zero along a cosine."""

    tail_power: float = Field(4.0, ge=1, le=8)
    """Power p of the weights f/q in the loss ⟨(f/q)^p⟩ of the second half of the training: 1 is the Kullback–Leibler
    divergence (as in the first half), 2 the variance; more presses harder on the largest weights."""

    channels: ChannelSamplerConfig = Field(
        ChannelSamplerConfig(), exclude_if=lambda own: bool(own == ChannelSamplerConfig())
    )
    """What is different for processes that the sampling divides into channels."""

    @model_validator(mode="after")
    def _bins_fit(self) -> "SamplerConfig":
        if self.bins > self.vegas_bins:
            raise SettingError(("bins",), f"{self.bins} spline bins are more than the {self.vegas_bins} of vegas_bins")
        return self


FULL_SAMPLER = SamplerConfig()
"""The sampler of an analysis: unweighting efficiency above all."""

QUICK_SAMPLER = SamplerConfig(
    vegas_iterations=6, vegas_points=10_000, rounds=8, points_per_round=25_000, learning_rate=8e-3
)
"""The sampler of a demonstration: trained in under a minute."""


VEGAS_SAMPLER = SamplerConfig(rounds=0)
"""The VEGAS grids alone: ready in seconds, with a few to some tens of per cent of the points as events."""

_PRESETS = {"full": FULL_SAMPLER, "quick": QUICK_SAMPLER, "vegas": VEGAS_SAMPLER}


class PowerBiasConfig(StrictModel):
    """A bias f + (1 − f) min(1, (pT/scale)^power) towards large transverse momenta."""

    scale: Positive = 20.0
    """Transverse momentum in GeV from which on events are not suppressed."""

    power: Annotated[float, Field(gt=0, le=10)] = 2.0
    """How steeply events below are suppressed."""

    floor: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The bias f at vanishing pT: no event weighs more than 1/f times the lightest. It must not be 0, or the events
    that are left out would be missing from the cross section."""


class BiasConfig(StrictModel):
    """A bias g of the generation: events follow g dσ and have weights ∝ 1/g, so every distribution stays what it is."""

    softer_b_pt: PowerBiasConfig | None = None
    """Bias by the pT of the softer of the b quarks of the hard process."""

    harder_b_pt: PowerBiasConfig | None = None
    """Bias by the pT of the harder of the b quarks of the hard process; with both, their product."""

    @model_validator(mode="after")
    def _does_something(self) -> "BiasConfig":
        if self.softer_b_pt is None and self.harder_b_pt is None:
            raise SettingError((), "name softer_b_pt or harder_b_pt, or leave the bias out")
        return self


class GenerationConfig(StrictModel):
    """Unweighted parton-level events of the hard process."""

    events: int = Field(10_000, ge=1)
    """Number of events to write."""

    theta: dict[str, Finite] = Field(default_factory=dict)
    """Theory parameters at which events are generated (name → value); those not named have their
    Standard Model values."""

    theta_mixture: tuple[dict[str, Finite], ...] = ()
    """More θ points that the events must cover: events then follow the sum of the cross sections at `theta` and at
    these points, and the weight at `theta` varies from event to event. Empty: events of equal weight at `theta`."""

    bias: BiasConfig | None = Field(default=None, exclude_if=lambda bias: bias is None)
    """Make more of some events than there are, with smaller weights: for selections that few events pass."""

    sampler: SamplerConfig = FULL_SAMPLER
    """How the sampler is trained: its settings, or the name of a preset, ``full`` (default), ``quick`` or ``vegas``."""

    overweight_limit: float = Field(1e-3, gt=0, lt=0.5)
    """Largest fraction of the cross section that may be carried by points whose weight exceeds the maximum weight."""

    overweight_policy: OverweightPolicy = "keep"
    """What happens to a point of weight w above the maximum: `keep` one event of weight w/w_max > 1 (exact), `repeat`
    the event so that the mean number of copies is w/w_max (exact, equal weights, correlated), or `truncate` to weight
    1 (biased by the reported excess)."""

    pilot_points: int = Field(500_000, ge=1_000)
    """Points from which the maximum weight is determined."""

    chunk_points: int = Field(20_000, ge=100)
    """Points tried per chunk. A finished chunk is kept on disk until all are done; it bounds the memory."""

    max_points: int = Field(1_000_000_000, ge=1_000)
    """Stop with an error when the events asked for would need more points than this."""

    weight_scales: dict[str, Finite] = Field(default_factory=dict)
    """Size of each theory parameter in the basis of θ points at which events carry named weights (name → step; default
    1, must not be 0)."""

    workers: int | None = Field(1, ge=1)
    """Worker processes that make chunks of events, once the sampler is trained; null: one for each core. 1 without a
    `scheduler` works in the calling process. The events do not depend on it."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, e.g. ``"tcp://host:8786"``; null: a local cluster of `workers`. Its workers
    must see the output folder."""

    compression_level: int = Field(3, ge=1, le=9)
    """Level of gzip for the event file: 9 is about 10% smaller than 3 and five times slower."""

    @field_validator("sampler", mode="before")
    @classmethod
    def _preset(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if value not in _PRESETS:
            raise SettingError((), f"expected sampler settings or a preset ({', '.join(_PRESETS)}), got '{value}'")
        return _PRESETS[value]

    @model_validator(mode="after")
    def _scales_differ_from_zero(self) -> "GenerationConfig":
        for name, value in self.weight_scales.items():
            if value == 0:
                raise SettingError(
                    ("weight_scales", name), "must not be 0: the weights could not be solved for the coefficients"
                )
        return self

    def physics(self) -> dict[str, object]:
        """Return everything that the events depend on, as JSON-like values: all but workers and scheduler."""
        return self.model_dump(mode="json", exclude={"workers", "scheduler"})
