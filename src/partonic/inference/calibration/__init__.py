"""Calibration of coefficients against simulated events."""
