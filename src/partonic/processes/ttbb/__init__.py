"""pp → t t̄ b b̄ of the strong interaction: the background of t t̄ H with H → b b̄."""

from partonic.processes.ttbb.definition import definition

__all__ = ["definition"]
