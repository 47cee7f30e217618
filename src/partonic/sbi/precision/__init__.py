"""Derivatives learned with equal relative precision everywhere, and the magnitudes that this needs."""
