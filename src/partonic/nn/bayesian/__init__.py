"""Networks that know what their weights are uncertain by: Gaussian weights, ensembles, Laplace's approximation."""
