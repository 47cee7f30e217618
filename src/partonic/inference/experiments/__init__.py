"""Pools of simulated events, expected limits, pseudo-experiments, and whether intervals cover."""
