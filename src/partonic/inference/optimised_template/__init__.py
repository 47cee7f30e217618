"""One template of the likelihood ratio at a θ* that is chosen for the sensitivity to all parameters."""
