"""Boosted information trees: ratios of θ-coefficients as sums of small decision trees (arXiv:2107.10859, 2205.12976).

One ensemble learns all ratios R_a(x) = E[c_a | x] / E[c_0 | x] of an event's coefficients at once, from features of
the reconstructed event. `partonic.trees.boost` trains, `partonic.trees.ensemble` predicts, `partonic.trees.kernels`
holds what runs for every event.
"""
