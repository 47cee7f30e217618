"""How well learned ratios are known: bootstrap samples of the training events, and the Laplace approximation."""
