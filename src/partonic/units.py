"""Units and constants. Energies, momenta and masses are in GeV, cross sections in pb, angles in radians."""

from typing import Final

__all__ = ["GEV2_TO_PB", "PB_TO_FB"]

GEV2_TO_PB: Final = 0.3893793721e9
"""(ħc)² in pb GeV²: multiply a cross section in GeV⁻² by it (Review of Particle Physics 2024, physical constants)."""

PB_TO_FB: Final = 1.0e3
"""Femtobarn in a picobarn."""
