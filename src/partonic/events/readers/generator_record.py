"""Generator particles of many events: which are the hard partons, and what they decay to.

Works on the decay tree alone (PDG ids and mothers), so it serves every format and every shower: a *first* copy of a
resonance is one whose mother is another particle (as the matrix element made it), the *last* copy is what is left of it
after radiation, and its decay products are the first quarks and leptons below it or below the W or Z it decays to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.events.process_info import ProcessInfo
from partonic.events.readers.equal_particles import Candidate, is_ambiguous
from partonic.events.readers.slots import assign_slots
from partonic.processes.decay_tree import ANY_FINAL_STATE, DecayTree

__all__ = ["DecayProducts", "GeneratorRecord"]

_BOSONS = (23, 24)
_FERMIONS = (1, 2, 3, 4, 5, 11, 12, 13, 14, 15, 16)


@dataclass(frozen=True)
class DecayProducts:
    """First quarks and leptons (and photons or gluons from H) below the resonances, event by event.

    Attributes:
        rows: their rows in the record, `(K,)`.
        origin: PDG id of the outermost resonance (25, 6 or −6), 0 for none, `(K,)`.
        counts: number in each event, `(N,)`.
        hadronic: whether the t and the t̄ of each event decay to quarks only, `(N, 2)`.
        tree: the resonances.
    """

    rows: Int[np.ndarray, " products"]
    origin: Int[np.ndarray, " products"]
    counts: Int[np.ndarray, " events"]
    hadronic: Bool[np.ndarray, "events 2"]
    tree: DecayTree = ANY_FINAL_STATE

    @property
    def hadronic_top(self) -> Int[np.ndarray, " events"]:
        """+6 or −6 where exactly one top decays hadronically, else 0."""
        one = self.hadronic[:, 0] != self.hadronic[:, 1]
        return np.where(one, np.where(self.hadronic[:, 0], 6, -6), 0).astype(np.int8)


@dataclass(frozen=True)
class GeneratorRecord:
    """Particles of N events one after another, M in all.

    Attributes:
        pdg: PDG ids, `(M,)`.
        mother: row of the (first) mother within the event, −1 for none, `(M,)`.
        momenta: (E, px, py, pz) in GeV, `(M, 4)`.
        counts: number of particles of each event, `(N,)`.
    """

    pdg: Int[np.ndarray, " particles"]
    mother: Int[np.ndarray, " particles"]
    momenta: Float[np.ndarray, "particles 4"]
    counts: Int[np.ndarray, " events"]

    @property
    def event(self) -> Int[np.ndarray, " particles"]:
        """Index of the event of each particle."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @property
    def _parent(self) -> Int[np.ndarray, " particles"]:
        """Row of the mother in the whole record, −1 for none."""
        begin = np.repeat(np.cumsum(self.counts) - self.counts, self.counts)
        return np.where(self.mother < 0, -1, begin + self.mother)

    def hard_partons(self, pdg_ids: Sequence[int], copy: str) -> Int[np.ndarray, "events partons"]:
        """Return the rows of the partons of the process, in the order of `pdg_ids`; −1 where an event lacks one.

        Args:
            pdg_ids: their PDG ids; the second of two equal ones is the second in the record.
            copy: ``"first"`` or ``"last"`` copy.
        """
        parent = self._parent
        is_copy = (parent >= 0) & (self.pdg[parent] == self.pdg)
        event = self.event
        result = np.full((len(self.counts), len(pdg_ids)), -1, dtype=np.int64)
        for column, pdg in enumerate(pdg_ids):
            rows = np.flatnonzero((self.pdg == pdg) & ~is_copy)
            first = np.searchsorted(event[rows], np.arange(len(self.counts)))
            rank = np.arange(len(rows)) - first[event[rows]]
            chosen = rows[rank == list(pdg_ids[:column]).count(pdg)]
            result[event[chosen], column] = chosen
        return result if copy == "first" else self._last_copies(result, parent, is_copy)

    def _last_copies(
        self,
        rows: Int[np.ndarray, "events partons"],
        parent: Int[np.ndarray, " particles"],
        is_copy: Bool[np.ndarray, " particles"],
    ) -> Int[np.ndarray, "events partons"]:
        following = np.arange(len(self.pdg) + 1)
        following[-1] = -1
        copies = np.flatnonzero(is_copy)
        following[parent[copies]] = copies
        last = rows
        while not np.array_equal(following[last], last):
            last = following[last]
        return last

    def partons_in_slots(
        self, process: ProcessInfo, copy: str
    ) -> tuple[Int[np.ndarray, "events partons"], Int[np.ndarray, "events partons"]]:
        """Return rows and PDG ids of the partons of a process whose channels differ in final state.

        Of several final states that an event has, the one whose last parton comes first in the record is taken: what
        follows the hard process is radiation and decays. Where an event has none of them, −1 stands for what it lacks
        of the first. Which of equal particles is of which resonance follows from the rules of
        `partonic.events.readers.slots`.

        Args:
            process: its final states and decay tree.
            copy: ``"first"`` or ``"last"`` copy.
        """
        final_states = process.final_states
        first = np.stack([self.hard_partons(state, "first") for state in final_states])
        last = np.where((first < 0).any(axis=2), len(self.pdg), first.max(axis=2, initial=-1))
        best = last.argmin(axis=0)
        rows, pdg = first[best, np.arange(len(self.counts))], np.array(final_states, dtype=np.int64)[best]
        open_question = np.array([is_ambiguous(state, process.decay_tree) for state in final_states])
        ends = np.cumsum(self.counts).tolist()
        for event in np.flatnonzero(open_question[best] & (rows >= 0).all(axis=1)).tolist():
            within = slice(ends[event] - int(self.counts[event]), ends[event])
            found = assign_slots(self._candidates(within, final_states), process)
            if found is not None:
                rows[event], pdg[event] = found.rows, found.pdg_ids
        if copy == "last":
            parent = self._parent
            rows = self._last_copies(rows, parent, (parent >= 0) & (self.pdg[parent] == self.pdg))
        return rows, pdg

    def _candidates(self, event: slice, final_states: Sequence[tuple[int, ...]]) -> list[Candidate]:
        """Return the first copies of all particles of an event, with its rows, that a final state may ask for."""
        begin, pdg, mother = event.start, self.pdg[event], self.mother[event]
        is_copy = (mother >= 0) & (pdg[mother] == pdg)
        found = []
        for row in np.flatnonzero(np.isin(pdg, np.unique(final_states)) & ~is_copy).tolist():
            above, momentum = int(mother[row]), tuple(self.momenta[begin + row].tolist())
            mother_pdg = int(pdg[above]) if above >= 0 else 0
            found.append(Candidate(begin + row, int(pdg[row]), above, mother_pdg, momentum))
        return found

    def decay_products(self, tree: DecayTree = ANY_FINAL_STATE) -> DecayProducts:
        """Return the decay products of the resonances (H, t and t̄) before their radiation."""
        parent = self._parent
        origin = self._resonance_of_bosons(parent, tree)
        kind = np.abs(self.pdg)
        from_higgs = (parent >= 0) & (self.pdg[parent] == 25) & np.isin(kind, (21, 22))
        below = (parent >= 0) & (origin[parent] != 0)
        rows = np.flatnonzero(below & (np.isin(kind, _FERMIONS) | from_higgs))
        product_origin = origin[parent[rows]]
        event = self.event[rows]
        return DecayProducts(
            rows=rows,
            origin=product_origin,
            counts=np.bincount(event, minlength=len(self.counts)),
            hadronic=np.stack(
                [self._only_quarks(kind[rows], event, product_origin == top) for top in (6, -6)], axis=-1
            ),
            tree=tree,
        )

    def all_products(self) -> DecayProducts:
        """Return all particles as products of no resonance, for a final state of any content."""
        count = len(self.pdg)
        return DecayProducts(
            np.arange(count), np.zeros(count, dtype=np.int64), self.counts, np.zeros((len(self.counts), 2), dtype=bool)
        )

    def _resonance_of_bosons(
        self, parent: Int[np.ndarray, " particles"], tree: DecayTree
    ) -> Int[np.ndarray, " particles"]:
        """Return for the resonances, and for every W and Z below them, which one it is; 0 for all others."""
        origin = np.where(np.isin(self.pdg, tree.origins), self.pdg, 0)
        bosons = np.flatnonzero(np.isin(np.abs(self.pdg), _BOSONS) & (parent >= 0))
        while True:
            above = origin[parent[bosons]]
            found = np.where(above != 0, above, origin[bosons])
            if np.array_equal(found, origin[bosons]):
                return origin
            origin[bosons] = found

    def _only_quarks(
        self,
        kind: Int[np.ndarray, " products"],
        event: Int[np.ndarray, " products"],
        of_top: Bool[np.ndarray, " products"],
    ) -> Bool[np.ndarray, " events"]:
        size = len(self.counts)
        products = np.bincount(event[of_top], minlength=size)
        leptons = np.bincount(event[of_top & (kind >= 11)], minlength=size)
        only: Bool[np.ndarray, " events"] = (products > 0) & (leptons == 0)
        return only
