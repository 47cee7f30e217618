"""Proposals: densities of partons given an event, from which the points of the integral are drawn."""
