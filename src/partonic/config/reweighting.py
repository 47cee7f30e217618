"""The section `import.reweight` and the settings of `partonic reweight`: coefficients of θ from a model of physics."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.paths import LocalPath

__all__ = ["ModelParameter", "ReweightConfig"]

Finite = Annotated[float, Field(allow_inf_nan=False)]


class ModelParameter(StrictModel):
    """An external parameter of the model that follows a θ: its value is offset + factor · θ."""

    name: str
    """Its name in the model (for a MadGraph library: on the parameter card)."""
    factor: Finite = 1.0
    """Its change for a θ of 1: conventions of signs, of powers of Λ, of couplings that are factored out."""
    offset: Finite = 0.0
    """Its value at θ = 0."""

    @model_validator(mode="after")
    def _depends_on_theta(self) -> "ModelParameter":
        if self.factor == 0.0:
            message = f"with a factor of 0 '{self.name}' does not depend on θ: put its value under `values`"
            raise SettingError(("factor",), message)
        return self


def _as_parameters(value: Any) -> Any:
    """Take a name, or one parameter, for a list of one."""
    if isinstance(value, str):
        return ({"name": value},)
    return (value,) if isinstance(value, Mapping | ModelParameter) else value


Followers = Annotated[
    tuple[ModelParameter, ...], BeforeValidator(_as_parameters, json_schema_input_type=Any), Field(min_length=1)
]


class ReweightConfig(StrictModel):
    """Coefficients of θ for events that exist, from |M(θ)|² of a model at a basis of θ points."""

    engine: Literal["pyamplicol", "ufoamp", "madgraph"]
    """Who evaluates |M|²: `pyamplicol` (compiled, fast, for UFO and serialized models), `ufoamp` (pure Python, slow,
    for UFO models that the first cannot build), or `madgraph` (a compiled library)."""

    model: LocalPath
    """Folder of the UFO model, file of the serialized model, or the shared library of MadGraph."""

    parameters: dict[str, Followers] = Field(min_length=1)
    """For each θ the parameter of the model that follows it: a name (``c_tG: ctG``), ``{name, factor, offset}``, or a
    list of these."""

    values: dict[str, Finite] = Field(default_factory=dict)
    """Values of other parameters of the model: masses, widths, Λ, Wilson coefficients that are no θ."""

    restriction: str | None = None
    """Name of the restriction card of the UFO model; None: its default card, if it has one."""

    orders: dict[str, Annotated[int, Field(ge=0)]] | None = None
    """Largest power of each coupling order in the amplitude, e.g. ``{NP: 1}`` for one insertion. None: `pyamplicol`
    takes the lowest orders at which the process exists, which may leave operators out; `ufoamp` takes all."""

    degree: int | None = Field(default=None, ge=1, le=8)
    """Degree of the polynomial in θ. None: the monomials of the events, or degree 2 where they have no θ."""

    scales: dict[str, Annotated[float, Field(gt=0.0)]] = Field(default_factory=dict)
    """Size of each θ in the basis of θ points, 1 where not named. Best where the effect is neither tiny nor huge."""

    alpha_s: Literal["event"] | Annotated[float, Field(gt=0.0)] = "event"
    """α_s of |M|²: that of each `event`, or one value for all."""

    strong_coupling: str | None = "aS"
    """Name of α_s among the parameters of the model; None if it has none."""

    check_points: int = Field(default=2, ge=1, le=100)
    """Number of further θ points at which the polynomial of every event is compared with |M(θ)|²."""

    max_residual: float = Field(default=1e-6, gt=0.0)
    """Largest relative deviation there; an event with more is an error."""

    momentum_tolerance: float = Field(default=1e-6, gt=0.0)
    """How far momenta may be from the mass shells of the model (in units of E²), and from balance, before they are put
    on shell; the rounding of the file. Larger deviations are an error."""

    processes: tuple[tuple[int, ...], ...] = ()
    """For `madgraph`: PDG ids of each process of the library, incoming first, in the order of its momenta."""

    card: LocalPath | None = None
    """For `madgraph`: the parameter card, ``Cards/param_card.dat``."""

    interface: Literal["standalone", "umami"] = "standalone"
    """For `madgraph`: interface of the library."""

    trust_model: bool = False
    """Consent to run the code of a UFO model or of a library, with your rights, on this machine and the workers."""

    chunk_events: int = Field(default=500, ge=1)
    """Events that a worker takes at a time; a finished chunk outlives an interruption."""

    workers: int | None = Field(default=None, ge=1)
    """Worker processes on this machine; None: one for each core."""

    scheduler: str | None = None
    """Address of a running Dask scheduler, in place of workers on this machine."""

    time_limit: float = Field(default=600.0, gt=0.0)
    """For `pyamplicol`: seconds after which the generation of one matrix element is stopped."""

    cache: LocalPath | None = None
    """For `pyamplicol`: folder of generated matrix elements; None: ``~/.cache/partonic/matrix_elements``."""

    @property
    def runs_code(self) -> bool:
        """Whether loading the model runs code that came with it."""
        return self.engine != "pyamplicol" or self.model.is_dir()

    def physics(self) -> dict[str, Any]:
        """Return the settings that coefficients depend on, as plain JSON; the files of the model are not among them."""
        return self.model_dump(mode="json", exclude=_ONLY_HOW)

    @model_validator(mode="after")
    def _consistent(self) -> "ReweightConfig":
        followers = [parameter.name for group in self.parameters.values() for parameter in group]
        for name in followers:
            if followers.count(name) > 1:
                message = f"the parameter '{name}' of the model follows two θ: give each θ its own"
                raise SettingError(("parameters",), message)
        taken = sorted({*followers, *([self.strong_coupling] if self.strong_coupling else [])} & set(self.values))
        if taken:
            message = f"{', '.join(taken)} has no fixed value: it follows a θ or α_s (`alpha_s` sets that)"
            raise SettingError(("values", taken[0]), message)
        if unknown := sorted(set(self.scales) - set(self.parameters)):
            message = f"'{unknown[0]}' is none of the θ of `parameters`: {', '.join(self.parameters)}"
            raise SettingError(("scales", unknown[0]), message)
        self._check_library()
        return self

    def _check_library(self) -> None:
        if self.engine != "madgraph":
            if self.card is not None or self.processes:
                message = f"only the engine madgraph has a parameter card and processes, not {self.engine}"
                raise SettingError(("card" if self.card is not None else "processes",), message)
            return
        if self.card is None:
            message = "a MadGraph library needs its parameter card (Cards/param_card.dat)"
            raise SettingError(("card",), message)
        if not self.processes or any(len(particles) < 4 for particles in self.processes):
            message = "a MadGraph library needs the PDG ids of its processes, e.g. [[21, 21, 6, -6, 25]]"
            raise SettingError(("processes",), message)
        if self.restriction is not None or self.orders is not None:
            message = "restriction and orders of a MadGraph library were chosen when it was generated: leave them out"
            raise SettingError(("restriction" if self.restriction is not None else "orders",), message)


_ONLY_HOW = {
    "model", "card", "trust_model", "chunk_events", "workers", "scheduler", "time_limit", "cache",
}  # fmt: skip
