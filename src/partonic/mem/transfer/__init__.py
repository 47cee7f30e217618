"""The transfer function p_T(x|z): the density of accepted reconstructed events x for partons z."""
