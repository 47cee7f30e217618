"""How well learned ratios are known: the Laplace approximation of the last layer."""
