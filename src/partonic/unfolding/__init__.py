"""Unfolding: networks that sample parton-level events for each reconstructed event (CMS-DP-2023-85)."""
