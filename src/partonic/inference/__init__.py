"""Statistics: from coefficients of events, whoever made them, to likelihoods and intervals of the theory parameters."""
