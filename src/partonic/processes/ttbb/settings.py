"""The section `process` for pp → t t̄ b b̄."""

from typing import Literal

from pydantic import Field

from partonic.config.process import ProcessConfig

__all__ = ["TtbbConfig"]


class TtbbConfig(ProcessConfig):
    """pp → t t̄ b b̄ of the strong interaction (g_s⁴) with massive b, without θ; final state in the order t, t̄, b, b̄.

    Its matrix element is generated when it is first used and needs the extra `ufo`. μ_F is the mean transverse mass of
    t and t̄ times its factor, μ_R the geometric mean of the four transverse masses. Masses and energies in GeV.
    """

    name: Literal["ttbb"] = "ttbb"
    """Name of the process."""
    top_mass: float = Field(default=172.5, gt=0.0)
    """Top pole mass."""
    bottom_mass: float = Field(default=4.7, gt=0.0)
    """Bottom pole mass."""
