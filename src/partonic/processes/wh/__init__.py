"""pp → W H, W → ℓν, with a current of the Higgs field and anomalous HWW couplings."""

from partonic.processes.wh.definition import definition

__all__ = ["definition"]
