"""Figures of likelihoods: curves, contours, intervals, correlations and pulls."""
