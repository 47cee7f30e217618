"""pp → t H q through a W in the t-channel, with a top Yukawa coupling that may violate CP."""

from partonic.processes.thq.definition import definition

__all__ = ["definition"]
