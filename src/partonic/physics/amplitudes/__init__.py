"""Squared amplitudes as polynomials in the theory parameters: our own, and those of external generators."""
