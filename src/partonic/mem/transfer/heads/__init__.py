"""Densities of one reconstructed object given the state of the transformer before it, behind one interface."""
