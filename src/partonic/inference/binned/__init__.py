"""Binned likelihoods: bins, templates, and their export to pyhf."""
