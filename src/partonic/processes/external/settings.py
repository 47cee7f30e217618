"""The section `process` for a sample whose matrix element we do not have."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.process import ProcessConfig

__all__ = ["ExternalConfig", "ExternalParameter"]


class ExternalParameter(StrictModel):
    """What the report says of a parameter. Its value means what it means to the weights of the files."""

    label: str | None = None
    """How it is written in figures, in the mathematics of matplotlib, e.g. ``$c_{HW}$``; None: its name."""
    description: str = ""
    """The operator, with the convention of its sign."""
    unit: str = ""
    """Unit, e.g. ``TeV⁻²``; empty for a pure number."""
    standard_model: float = 0.0
    """Its value in the Standard Model."""


def _by_name(value: Any) -> Any:
    """Take a list of names for parameters of which nothing else is said."""
    if isinstance(value, list | tuple):
        repeated = sorted({str(name) for name in value if value.count(name) > 1})
        if repeated:
            message = f"a parameter is listed twice: {', '.join(repeated)}"
            raise SettingError((), message)
        return {name: {} for name in value}
    if isinstance(value, Mapping):
        return {name: each or {} for name, each in value.items()}
    return value


class ExternalConfig(ProcessConfig):
    """Any process: parameters and degree are told here, coefficients come from the weights of the imported files.

    Whatever needs no matrix element works: fits of parton truth, optimal observables, templates, pyhf, the report.
    """

    name: Literal["external"] = "external"
    """Name of the process."""
    parameters: Annotated[dict[str, ExternalParameter], BeforeValidator(_by_name)] = Field(default_factory=dict)
    """The theory parameters in the order of θ: a list of names, or a mapping from names to what is known of them."""
    degree: int = Field(default=2, ge=1, le=8)
    """Degree of the polynomial in θ: 2 for one insertion per amplitude."""
    partons: dict[str, int] = Field(default_factory=dict)
    """Names and PDG ids of the final-state partons that every event has, in the order of the store. Empty: events may
    have any final state, which is kept as decay products."""
    collider_energy: float = Field(default=13000.0, gt=0.0)
    """√S of the proton–proton collisions."""

    @model_validator(mode="after")
    def _names_are_usable(self) -> "ExternalConfig":
        for name in self.parameters:
            if not name.isidentifier():
                message = f"the name of a parameter is made of letters, digits and _, got '{name}'"
                raise SettingError(("parameters",), message)
        return self
