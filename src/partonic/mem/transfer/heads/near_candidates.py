"""Candidates of a set of events and partons, with what the network says of each."""

from dataclasses import dataclass

from torch import Tensor

from partonic.mem.transfer.candidates import CandidateMomenta, CandidatePlan

__all__ = ["NearCandidates"]


@dataclass(frozen=True)
class NearCandidates:
    """Candidates with what the network says of them.

    Attributes:
        plan: which they are.
        found: their momenta.
        keys, shapes: `(N, S, C, ...)`.
    """

    plan: CandidatePlan
    found: CandidateMomenta
    keys: Tensor
    shapes: Tensor

    def first(self, count: int) -> "NearCandidates":
        """Return the first candidates, with the plan of all."""
        found = CandidateMomenta(**{name: values[:, :, :count] for name, values in vars(self.found).items()})
        return NearCandidates(self.plan, found, self.keys[:, :, :count], self.shapes[:, :, :count])
