"""The hard process of detector-level files: partons, momentum fractions, initial partons, scale and α_s."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float, Int

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.generator_record import DecayProducts, GeneratorRecord
from partonic.events.readers.notes import Notes
from partonic.events.readers.objects import Objects
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.source import fixed_lists
from partonic.events.schema import ProcessInfo

__all__ = [
    "EnergyCheck",
    "HardPartons",
    "check_partons",
    "check_products",
    "hard_partons",
    "hard_process_columns",
    "mothers",
]

_TOLERANCE = 0.03
"""Relative deviation of x₁x₂S from ŝ that rounding of momenta cannot explain; 13 and 13.6 TeV differ by 0.09."""


@dataclass(frozen=True)
class HardPartons:
    """Partons of N events, in the slots of their process.

    Attributes:
        momenta: (E, px, py, pz) of the n partons in GeV, flattened, `(N, 4n)`.
        pdg: their PDG ids `(N, n)`; None where the process has one final state.
    """

    momenta: Float[np.ndarray, "events numbers"]
    pdg: Int[np.ndarray, "events partons"] | None = None

    def columns(self) -> dict[str, Any]:
        """Return the columns of the store."""
        columns: dict[str, Any] = {}
        if self.momenta.shape[1]:
            columns["partons"] = fixed_lists(self.momenta, pa.float64())
        if self.pdg is not None:
            columns["parton_pdg"] = fixed_lists(self.pdg.astype(np.int32), pa.int32())
        return columns


def check_partons(
    momenta: Float[np.ndarray, "events numbers"], names: Sequence[str], where: Callable[[int], str]
) -> None:
    """Check that partons are at finite rapidity.

    Args:
        momenta: (E, px, py, pz) of the n partons of each event in GeV, flattened, `(N, 4n)`.
        names: names of the partons.
        where: gives file and place of the event in a row.

    Raises:
        EventFileError: if a parton is not finite, or moves along the beam without mass (E ≤ |pz|), as incoming partons
            do: it has no rapidity, and no point of phase space.
    """
    vectors = momenta.reshape(len(momenta), -1, 4)
    good = np.isfinite(vectors).all(axis=-1) & (vectors[..., 0] > np.abs(vectors[..., 3]))
    if good.all():
        return
    event, parton = (int(index) for index in np.argwhere(~good)[0])
    energy, px, py, pz = vectors[event, parton]
    raise EventFileError(
        f"{where(event)}: the parton {names[parton]} has (E, px, py, pz) = ({energy:g}, {px:g}, {py:g}, {pz:g}) GeV, "
        "which is at infinite rapidity or no momentum: expected E > |pz|. Check that import.partons names outgoing "
        "partons that every event has"
    )


def mothers(batch: Batch, particles: Objects) -> Int[np.ndarray, " particles"]:
    """Return the row of the mother of each generator particle within its event, −1 for none.

    Raises:
        EventFileError: if there is no such row.
    """
    mother = particles["mother"].astype(np.int64)
    wrong = mother >= particles.counts[particles.event]
    if wrong.any():
        particle = int(np.argmax(wrong))
        event = int(particles.event[particle])
        raise EventFileError(
            f"{batch.where(event)}: branch {batch.names['generator_mother']}: particle {mother[particle]} is a "
            f"mother, but there are {particles.counts[event]} particles"
        )
    return np.maximum(mother, -1)


def hard_partons(
    record: GeneratorRecord, process: ProcessInfo, config: ImportConfig, where: Callable[[int], str]
) -> HardPartons:
    """Return the partons of the process, in its slots.

    Args:
        record: generator particles.
        process: its final states; with several, each event has that of its own partons.
        config: the section `import`: which copy of a parton is meant.
        where: gives file and place of the event in a row.

    Raises:
        EventFileError: if an event lacks one, or has it at infinite rapidity.
    """
    rows, pdg = record.partons_in_slots(process, config.parton_copy)
    if (rows < 0).any():
        event, parton = (int(index) for index in np.argwhere(rows < 0)[0])
        others = f" (or those of {len(process.final_states) - 1} other final states)"
        raise EventFileError(
            f"{where(event)} has no hard parton with PDG id {pdg[event, parton]} among its generator particles"
            f"{others if len(process.final_states) > 1 else ''}. Set import.partons to the PDG ids that every event of "
            "this sample has, or to [] for none"
        )
    momenta: Float[np.ndarray, "events numbers"] = record.momenta[rows].reshape(len(rows), 4 * rows.shape[1])
    check_partons(momenta, process.parton_names, where)
    return HardPartons(momenta, pdg if len(process.final_states) > 1 else None)


def check_products(batch: Batch, record: GeneratorRecord, products: DecayProducts) -> None:
    """Check that the momenta of decay products are finite numbers.

    Raises:
        EventFileError: if one is not, because its pseudorapidity or momentum is too large.
    """
    bad = ~np.isfinite(record.momenta[products.rows]).all(axis=-1)
    if bad.any():
        product = int(np.argmax(bad))
        event = int(np.repeat(np.arange(len(products.counts)), products.counts)[product])
        raise EventFileError(
            f"{batch.where(event)}: the momentum of the decay product with PDG id "
            f"{record.pdg[products.rows[product]]} is not finite"
        )


def hard_process_columns(batch: Batch, notes: Notes) -> dict[str, Any]:
    """Return momentum fractions, initial partons, scale and α_s, where the file has them.

    Writers put 0 or a negative number for an unknown momentum fraction, scale or coupling: it becomes null, with a
    warning.

    Raises:
        EventFileError: if a momentum fraction is above 1.
    """
    columns: dict[str, Any] = {}
    for name in ("x1", "x2", "scale", "alpha_s"):
        if name in batch:
            values = batch.scalar(name).astype(np.float64)
            _check_fraction(batch, name, values)
            columns[name] = _known(batch, name, values, values > 0, notes)
    if batch.has_all("initial_pdg_1", "initial_pdg_2"):
        initial = np.stack([batch.scalar("initial_pdg_1"), batch.scalar("initial_pdg_2")], axis=-1)
        known = (initial != 0).all(axis=1)
        _known(batch, "initial_pdg_1", initial[:, 0], known, notes)
        lists = fixed_lists(initial.astype(np.int32), pa.int32())
        nothing = pa.scalar(None, lists.type)
        columns["initial_pdg"] = lists if known.all() else pc.if_else(pa.array(known), lists, nothing)
    return columns


def _check_fraction(batch: Batch, name: str, values: Float[np.ndarray, " events"]) -> None:
    if name in ("x1", "x2") and (values > 1.0).any():
        event = int(np.argmax(values > 1.0))
        raise EventFileError(
            f"{batch.where(event)}: branch {batch.names[name]} holds {values[event]:g}, but a momentum fraction is at "
            f"most 1. Name the right branch under import.branches (`{name}: <branch>`)"
        )


def _known(batch: Batch, name: str, values: np.ndarray, known: np.ndarray, notes: Notes) -> pa.Array:
    if not known.all():
        notes.warn(
            f"{batch.file}: branch {batch.names[name]} is 0 or negative in some events, which writers put for "
            "'unknown': the column is empty there"
        )
    return pa.array(values, mask=~known)


@dataclass
class EnergyCheck:
    """Compares x₁x₂S with the invariant mass of the partons, to find a wrong collider energy.

    At the right energy x₁x₂S is the squared invariant mass of everything in the hard process: of the partons of the
    process, or more where there is additional radiation.

    Attributes:
        collider_energy: √S in GeV of the process.
    """

    collider_energy: float
    _ratios: list[Float[np.ndarray, " events"]] = field(default_factory=list)

    def add(self, columns: dict[str, Any], partons: Float[np.ndarray, "events numbers"]) -> None:
        """Take events into account: their columns x1 and x2, and partons `(N, 4n)`."""
        if not partons.shape[1] or "x1" not in columns or "x2" not in columns:
            return
        product = np.asarray(columns["x1"].fill_null(0.0)) * np.asarray(columns["x2"].fill_null(0.0))
        energy, px, py, pz = partons.reshape(len(partons), -1, 4).sum(axis=1).T
        mass_squared = energy**2 - px**2 - py**2 - pz**2
        usable = (product > 0) & (mass_squared > 0)
        self._ratios.append(product[usable] * self.collider_energy**2 / mass_squared[usable])

    def finish(self, notes: Notes) -> None:
        """Warn if the collider energy cannot be right."""
        ratios = np.concatenate([np.zeros(0), *self._ratios])
        if len(ratios) == 0:
            return
        low, middle, high = np.quantile(ratios, [0.05, 0.5, 0.95])
        only_partons = high - low < _TOLERANCE * middle
        if middle < 1.0 - _TOLERANCE or (only_partons and middle > 1.0 + _TOLERANCE):
            notes.warn(
                f"x1 x2 S is {middle:.3g} times the squared invariant mass of the partons in the median: with these "
                f"momentum fractions √S is nearer to {self.collider_energy / np.sqrt(middle):.0f} GeV than to the "
                f"{self.collider_energy:.0f} GeV of the process (process.collider_energy)"
            )
