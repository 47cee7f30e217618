"""Loss functions, and constraints that balance them: Huber, maximum mean discrepancy, method of multipliers."""

from partonic.nn.losses.huber import huber, periodic_difference
from partonic.nn.losses.mdmm import MaxConstraint, Multipliers
from partonic.nn.losses.mmd import SCALES, mmd, multiscale_kernel

__all__ = [
    "SCALES",
    "MaxConstraint",
    "Multipliers",
    "huber",
    "mmd",
    "multiscale_kernel",
    "periodic_difference",
]
