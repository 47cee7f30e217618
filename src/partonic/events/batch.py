"""Events in memory: a batch of rows of the store, and its reconstructed objects as padded tensors."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.physics.process import PartonEvents

__all__ = [
    "JET_FEATURES",
    "LEPTON_FEATURES",
    "MAX_JETS",
    "MAX_LEPTONS",
    "MAX_PHOTONS",
    "PHOTON_COLUMNS",
    "PHOTON_FEATURES",
    "RECO_COLUMNS",
    "EventBatch",
    "RecoEvents",
    "padded_lists",
]

MAX_JETS = 16
"""Jets kept of an event (physics of the reference analysis); they are sorted by pT, so the softest are dropped."""

MAX_LEPTONS = 4
"""Leptons kept of an event."""

MAX_PHOTONS = 4
"""Photons kept of an event."""

JET_FEATURES = ("pt", "eta", "phi", "mass", "btag")
"""Features of a jet, in the order of the last axis of `RecoEvents.jets`; GeV and radians."""

LEPTON_FEATURES = ("pt", "eta", "phi", "mass", "isolation")
"""Features of a lepton, in the order of the last axis of `RecoEvents.leptons`; GeV and radians."""

PHOTON_FEATURES = ("pt", "eta", "phi", "isolation")
"""Features of a photon, in the order of the last axis of `RecoEvents.photons`; GeV and radians."""

RECO_COLUMNS = (
    *(f"jet_{feature}" for feature in JET_FEATURES),
    "jet_tagged",
    *(f"lepton_{feature}" for feature in LEPTON_FEATURES),
    "lepton_pdg",
    "met_pt",
    "met_phi",
)
"""Columns of the store that `EventBatch.reco` needs."""

PHOTON_COLUMNS = tuple(f"photon_{feature}" for feature in PHOTON_FEATURES)
"""Columns that it reads, too, where the store has photons (`StoreMetadata.photons`) and they were read."""


@dataclass(frozen=True)
class RecoEvents:
    """Reconstructed objects of events, padded with zeros; the masks are True for real objects.

    Attributes:
        jets: `JET_FEATURES` of each jet, descending in pT, `(N, jets, 5)`.
        jet_tagged: passes the b-tag working point, `(N, jets)`.
        jet_mask: real jets, `(N, jets)`.
        leptons: `LEPTON_FEATURES` of each electron or muon, `(N, leptons, 5)`.
        lepton_pdg: PDG ids of the leptons, `(N, leptons)`.
        lepton_mask: real leptons, `(N, leptons)`.
        met: size (GeV) and azimuth of the missing transverse momentum, `(N, 2)`.
        photons: `PHOTON_FEATURES` of each photon, descending in pT, `(N, photons, 4)`; by default there is no slot for
            one. The isolation is 0 where the source has none.
        photon_mask: real photons, `(N, photons)`.
    """

    jets: Float[Tensor, "events jets 5"]
    jet_tagged: Bool[Tensor, "events jets"]
    jet_mask: Bool[Tensor, "events jets"]
    leptons: Float[Tensor, "events leptons 5"]
    lepton_pdg: Int[Tensor, "events leptons"]
    lepton_mask: Bool[Tensor, "events leptons"]
    met: Float[Tensor, "events 2"]
    photons: Float[Tensor, "events photons 4"] = field(default_factory=lambda: torch.zeros(0, 0, len(PHOTON_FEATURES)))
    photon_mask: Bool[Tensor, "events photons"] = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))

    def __post_init__(self) -> None:
        if not self.photons.shape[1] and len(self.photons) != len(self.met):
            object.__setattr__(self, "photons", self.met.new_zeros(len(self.met), 0, len(PHOTON_FEATURES)))
            object.__setattr__(self, "photon_mask", torch.zeros_like(self.photons[..., 0], dtype=torch.bool))

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.met)

    def select(self, rows: Bool[Tensor, " events"] | Int[Tensor, " rows"]) -> "RecoEvents":
        """Return the events of a mask `(N,)`, or those with these numbers."""
        return RecoEvents(**{name: values[rows] for name, values in vars(self).items()})


class EventBatch:
    """Some rows of an event store, as arrays."""

    def __init__(self, table: pa.Table, metadata: StoreMetadata) -> None:
        """Wrap `table`, whose columns are some or all of those of the store with `metadata`."""
        self.table = table
        self.metadata = metadata

    def __len__(self) -> int:
        """Return the number of events."""
        return int(self.table.num_rows)

    def has(self, name: str) -> bool:
        """Return whether the column `name` was read and holds a value for every event."""
        return name in self.table.column_names and self.table.column(name).null_count == 0

    def valid(self, name: str) -> NDArray[np.bool_]:
        """Return which events have a value in the column `name`, `(N,)`."""
        mask: NDArray[np.bool_] = self._values(name).is_valid().to_numpy(zero_copy_only=False)
        return mask

    def column(self, name: str) -> NDArray[np.generic]:
        """Return a column of one value, or of a fixed number of values, per event: `(N,)` or `(N, length)`.

        Raises:
            SchemaError: if the column was not read, is null for some events, or is a list of varying length
                (`flat`, `counts` and `padded` read those).
        """
        values = self._values(name)
        if values.null_count:
            raise SchemaError(
                f"column '{name}' is null for {values.null_count} of {len(values)} events: "
                "read with selected_only=True, or keep the events for which `valid` is True"
            )
        if pa.types.is_fixed_size_list(values.type):
            return _fixed(values)
        if pa.types.is_list(values.type):
            raise SchemaError(f"column '{name}' is a list of varying length: use flat, counts or padded")
        return np.asarray(values.to_numpy(zero_copy_only=False))

    def flat(self, name: str) -> NDArray[np.generic]:
        """Return all values of a list column one after another; events where it is null contribute none."""
        return np.asarray(self._lists(name).flatten().to_numpy(zero_copy_only=False))

    def counts(self, name: str) -> NDArray[np.int64]:
        """Return the number of values of a list column for each event, 0 where it is null, `(N,)`."""
        return _counts(self._lists(name))

    def padded(self, name: str, width: int) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        """Return the first `width` values of a list column padded with zeros, and their mask, both `(N, width)`."""
        return padded_lists(self._lists(name), width)

    def filter(self, mask: NDArray[np.bool_]) -> "EventBatch":
        """Return the events for which `mask` `(N,)` is True."""
        return EventBatch(self.table.filter(pa.array(mask)), self.metadata)

    @property
    def weight(self) -> NDArray[np.float64]:
        """Weights at the generation θ, in pb, `(N,)`."""
        return self.column("weight").astype(np.float64, copy=False)

    @property
    def coefficients(self) -> NDArray[np.float64]:
        """Coefficients of the weight in the monomials of θ, in pb, `(N, A)`."""
        return self.column("coefficients").astype(np.float64, copy=False)

    def partons(self) -> PartonEvents:
        """Return the partons of the hard process, in GeV.

        Momentum fractions that the source did not tell (HepMC without information on the parton densities) are those
        that give the final state its momentum, x = (E ± p_z)/√S.

        Raises:
            SchemaError: if the source has none (a data file, or a file of reconstructed objects only).
        """
        momenta = torch.from_numpy(np.array(self.column("partons"), dtype=np.float64))
        momenta = momenta.reshape(len(self), len(self.metadata.parton_names), 4)
        x1, x2 = (self._fractions(name, sign, momenta) for name, sign in (("x1", 1.0), ("x2", -1.0)))
        return PartonEvents(momenta=momenta, x1=x1, x2=x2)

    def _fractions(
        self, name: str, sign: float, momenta: Float[Tensor, "events partons 4"]
    ) -> Float[Tensor, " events"]:
        """Return what the source told of x1 or x2, and where it did not (E ± p_z)/√S of the final state."""
        known = self.valid(name)
        if known.all() or not self.metadata.collider_energy:
            return torch.from_numpy(np.array(self.column(name), dtype=np.float64))
        told = pc.fill_null(self._values(name), 0.0).to_numpy()
        total = momenta.sum(dim=1).numpy()
        balanced = (total[:, 0] + sign * total[:, 3]) / self.metadata.collider_energy
        return torch.from_numpy(np.where(known, told, balanced).astype(np.float64))

    def partons_with_isr(self) -> PartonEvents:
        """Return H, t_had, t_lep and the balancing parton after initial-state radiation, in GeV.

        Raises:
            SchemaError: if some event lacks them.
        """
        momenta = torch.from_numpy(np.array(self.column("isr_partons"), dtype=np.float64))
        return PartonEvents(
            momenta=momenta.reshape(len(self), 4, 4),
            x1=torch.from_numpy(np.array(self.column("isr_x1"), dtype=np.float64)),
            x2=torch.from_numpy(np.array(self.column("isr_x2"), dtype=np.float64)),
        )

    def reco(
        self, max_jets: int = MAX_JETS, max_leptons: int = MAX_LEPTONS, max_photons: int = MAX_PHOTONS
    ) -> RecoEvents:
        """Return the reconstructed objects, padded to `max_jets`, `max_leptons` and `max_photons`.

        Photons are there if the store has them and `PHOTON_COLUMNS` were read; otherwise no slot is.

        Raises:
            SchemaError: if some event has none (a rejected event): read with ``selected_only=True``.
        """
        for name in ("jet_pt", "lepton_pt", "met_pt"):
            if not self.has(name):
                missing = int((~self.valid(name)).sum())
                raise SchemaError(f"{missing} of {len(self)} events have no '{name}': read with selected_only=True")
        tagged, jet_mask = self._padded_bool("jet_tagged", "jet_pt", max_jets)
        pdg, lepton_mask = self.padded("lepton_pdg", max_leptons)
        return RecoEvents(
            jets=self._features("jet", JET_FEATURES, max_jets),
            jet_tagged=tagged,
            jet_mask=jet_mask,
            leptons=self._features("lepton", LEPTON_FEATURES, max_leptons),
            lepton_pdg=torch.from_numpy(pdg.astype(np.int64)),
            lepton_mask=torch.from_numpy(lepton_mask),
            met=torch.from_numpy(np.stack([self.column("met_pt"), self.column("met_phi")], axis=-1).astype(np.float32)),
            **self._photons(max_photons),
        )

    def _photons(self, width: int) -> dict[str, Tensor]:
        """Return photons and their mask; nothing where they were not read, and isolation 0 where there is none."""
        if not all(name in self.table.column_names and self.has(name) for name in PHOTON_COLUMNS[:3]):
            return {}
        features = list(PHOTON_FEATURES[:3])
        if PHOTON_COLUMNS[3] in self.table.column_names and self.has(PHOTON_COLUMNS[3]):
            features = list(PHOTON_FEATURES)
        photons = self._features("photon", tuple(features), width)
        photons = torch.nn.functional.pad(photons, (0, len(PHOTON_FEATURES) - len(features)))
        return {"photons": photons, "photon_mask": torch.from_numpy(self.padded("photon_pt", width)[1])}

    def _padded_bool(self, name: str, reference: str, width: int) -> tuple[Tensor, Tensor]:
        _, mask = self.padded(reference, width)
        values, _ = self.padded(name, width)
        return torch.from_numpy(values.astype(np.bool_)), torch.from_numpy(mask)

    def _features(self, prefix: str, features: tuple[str, ...], width: int) -> Tensor:
        columns = [self.padded(f"{prefix}_{feature}", width)[0].astype(np.float32) for feature in features]
        return torch.from_numpy(np.stack(columns, axis=-1))

    def _values(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            raise SchemaError(f"column '{name}' was not read; this batch has: {', '.join(self.table.column_names)}")
        return self.table.column(name)

    def _lists(self, name: str) -> pa.ListArray:
        values = self._values(name)
        if not pa.types.is_list(values.type):
            raise SchemaError(f"column '{name}' is {values.type}, not a list of varying length: use column")
        return _one_array(values)


def padded_lists(lists: pa.ListArray, width: int) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the first `width` values of each list, padded with zeros, and the mask of real ones, `(N, width)`."""
    counts = _counts(lists)
    values = np.asarray(lists.flatten().to_numpy(zero_copy_only=False))
    slots = np.arange(width)
    mask = slots < counts[:, None]
    starts = np.cumsum(counts) - counts
    padded = np.zeros(mask.shape, dtype=values.dtype)
    padded[mask] = values[(starts[:, None] + slots)[mask]]
    return padded, mask


def _counts(lists: pa.ListArray) -> NDArray[np.int64]:
    return np.asarray(pc.fill_null(pc.list_value_length(lists), 0)).astype(np.int64)


def _fixed(values: pa.ChunkedArray) -> NDArray[np.generic]:
    array = _one_array(values)
    flat = np.asarray(array.flatten().to_numpy(zero_copy_only=False))
    return flat.reshape(len(array), values.type.list_size)


def _one_array(values: pa.ChunkedArray) -> pa.Array:
    combined = values.combine_chunks()
    return combined.combine_chunks() if isinstance(combined, pa.ChunkedArray) else combined
