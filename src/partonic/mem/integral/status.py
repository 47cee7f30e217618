"""What can be said of an event whose integral gives no coefficients."""

__all__ = [
    "ALL_WEIGHTS_ZERO",
    "DOMINATED",
    "NOT_POSITIVE",
    "OUTSIDE_SUPPORT",
    "TRANSFER_ZERO",
    "UNUSABLE",
    "ZERO_ACCEPTANCE",
]

UNUSABLE = "the proposal gave a number that is not finite"
"""The proposal cannot handle the event, and does not say why."""

OUTSIDE_SUPPORT = "outside the support of the proposal"
"""No point of the proposal lies within the unit cube of the partons."""

ZERO_ACCEPTANCE = "zero acceptance"
"""The acceptance is zero at all points."""

TRANSFER_ZERO = "outside the support of the transfer function"
"""The transfer function is zero at all points: the event has what no accepted event can have."""

ALL_WEIGHTS_ZERO = "all weights are zero"
"""At no point are all factors of the integrand different from zero."""

NOT_POSITIVE = "P_0 is not positive"
"""The integral of the reference density came out zero or negative, so that there are no ratios."""

DOMINATED = "dominated by one point"
"""One point has a larger share in P_0 than allowed, and the policy is to exclude such events."""
