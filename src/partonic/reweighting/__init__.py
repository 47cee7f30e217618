"""Coefficients of θ for parton events that exist, from the matrix element of a model at a basis of θ points."""
