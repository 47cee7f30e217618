"""Learning locally: the score at the reference, and the densities of all θ as functions of it (SALLY, SALLINO)."""
