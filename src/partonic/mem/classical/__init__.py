"""The classical matrix element method: factorised transfer functions, masses on shell, permutations, VEGAS.

The baseline that the learned method is compared with, on the same events and with coefficients of the same type.
"""
