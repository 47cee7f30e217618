"""pp → Z H, Z → ℓ⁺ℓ⁻, with currents of the Higgs field and anomalous HZZ couplings."""

from partonic.processes.zh.definition import definition

__all__ = ["definition"]
