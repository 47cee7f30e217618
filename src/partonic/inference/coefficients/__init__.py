"""Coefficients of events, and what follows from them before any fit: rate, observables, sum rule."""
