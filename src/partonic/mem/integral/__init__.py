"""The integral over partons: integrand, importance sampling, cross sections behind cuts, and the run over a store."""
