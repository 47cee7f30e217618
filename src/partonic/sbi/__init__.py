"""Simulation-based inference: likelihood ratios and derivatives in θ, learned from simulated events."""
