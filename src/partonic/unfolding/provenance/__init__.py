"""Provenance: which jet comes from H, from the hadronic top and from the leptonic top."""
