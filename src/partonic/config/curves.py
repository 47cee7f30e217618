"""Curves through the space of theory parameters, along which one number is fitted: the key `inference.curves`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = ["CircleConfig", "CurveConfig", "PolynomialConfig"]


class CircleConfig(StrictModel):
    """A circle, or an ellipse, through the space of theory parameters: θ = centre + cosine·cos α + sine·sin α."""

    kind: Literal["circle"]
    """What the curve is."""

    cosine: dict[str, float] = Field(default_factory=dict)
    """Amplitude of cos α by theory parameter."""

    sine: dict[str, float] = Field(default_factory=dict)
    """Amplitude of sin α by theory parameter."""

    centre: dict[str, float] = Field(default_factory=dict)
    """Centre by theory parameter; 0 where not named."""

    unit: Literal["degrees", "radians"] = "degrees"
    """Unit of α, wherever its values are given or told."""

    nominal: float = 0.0
    """α where nothing else is said, usually that of the Standard Model."""

    @model_validator(mode="after")
    def _moves_what_it_names(self) -> "CircleConfig":
        for name in self.centre:
            if name not in {*self.cosine, *self.sine}:
                message = f"'{name}' has a centre, but neither a cosine nor a sine: fix it (inference.fixed) instead"
                raise SettingError(("centre", name), message)
        if not {*self.cosine, *self.sine}:
            raise SettingError(("cosine",), "a circle needs a theory parameter: give `cosine`, `sine` or both")
        return self

    @property
    def unit_text(self) -> str:
        """The unit of α as it is written: ``°`` or ``rad``."""
        return "°" if self.unit == "degrees" else "rad"

    def on_it(self) -> tuple[str, ...]:
        """Return the theory parameters on the curve."""
        return tuple(dict.fromkeys([*self.cosine, *self.sine]))


class PolynomialConfig(StrictModel):
    """A line or another polynomial curve through the space of theory parameters: θ = c_0 + c_1 s + c_2 s² and so on."""

    kind: Literal["polynomial"]
    """What the curve is."""

    coefficients: dict[str, tuple[float, ...]] = Field(min_length=1)
    """c_0, c_1, … by theory parameter."""

    nominal: float = 0.0
    """s where nothing else is said, usually that of the Standard Model."""

    @property
    def unit_text(self) -> str:
        """The unit of s: none."""
        return ""

    def on_it(self) -> tuple[str, ...]:
        """Return the theory parameters on the curve."""
        return tuple(self.coefficients)


CurveConfig = Annotated[CircleConfig | PolynomialConfig, Field(discriminator="kind")]
