"""Coefficients of other estimators as features: the networks add what these do not know."""
