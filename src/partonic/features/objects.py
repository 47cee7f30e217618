"""Reconstructed objects of a batch of events as padded arrays: what observables are computed from."""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.events.batch import MAX_JETS, MAX_LEPTONS, MAX_PHOTONS, EventBatch
from partonic.physics.kinematics import from_pt_eta_phi_m

__all__ = ["BatchObjects"]

Array = NDArray[np.float64]


class BatchObjects:
    """The events of a batch that have reconstructed objects, jets padded to `MAX_JETS`."""

    columns = ("jet_pt", "jet_eta", "jet_phi", "jet_mass", "jet_tagged", "lepton_pt", "lepton_eta", "lepton_phi",
               "lepton_mass", "lepton_pdg", "met_pt", "met_phi")  # fmt: skip
    optional = ("photon_pt", "photon_eta", "photon_phi")
    """Columns that only stores with photons have."""

    def __init__(self, batch: EventBatch) -> None:
        """Keep the events of `batch` whose jets are known."""
        self.batch = batch.filter(batch.valid("jet_pt"))

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.batch)

    @cached_property
    def jet_mask(self) -> NDArray[np.bool_]:
        """Real jets, `(N, MAX_JETS)`."""
        return self.batch.padded("jet_pt", MAX_JETS)[1]

    def jet(self, feature: str) -> NDArray[np.generic]:
        """Return the column ``jet_<feature>`` padded with zeros, `(N, MAX_JETS)`."""
        return self.batch.padded(f"jet_{feature}", MAX_JETS)[0]

    @cached_property
    def jet_pt(self) -> Array:
        """Transverse momenta, GeV, `(N, MAX_JETS)`."""
        return self.jet("pt").astype(np.float64)

    @cached_property
    def tagged(self) -> NDArray[np.bool_]:
        """b-tagged jets, `(N, MAX_JETS)`; all False where no working point is known."""
        tags = self.jet("tagged").astype(np.bool_)
        return tags if tags.shape == self.jet_mask.shape else np.zeros_like(self.jet_mask)

    @cached_property
    def jet_momenta(self) -> torch.Tensor:
        """(E, px, py, pz) of the jets, GeV, zero where padded, `(N, MAX_JETS, 4)`."""
        features = np.stack([self.jet(name).astype(np.float64) for name in ("pt", "eta", "phi", "mass")], axis=-1)
        return from_pt_eta_phi_m(torch.from_numpy(features)) * torch.from_numpy(self.jet_mask)[..., None]

    @cached_property
    def leptons(self) -> tuple[Array, NDArray[np.bool_]]:
        """Return pt, eta, phi, mass and pdg of the leptons `(N, MAX_LEPTONS, 5)`, descending in pT, and their mask."""
        names = ("lepton_pt", "lepton_eta", "lepton_phi", "lepton_mass", "lepton_pdg")
        return self._objects(names, MAX_LEPTONS)

    @cached_property
    def photons(self) -> tuple[Array, NDArray[np.bool_]]:
        """Return pt, eta, phi and mass 0 of the photons `(N, MAX_PHOTONS, 4)`, and their mask; none in other stores."""
        features, mask = self._objects(self.optional, MAX_PHOTONS)
        return np.pad(features, ((0, 0), (0, 0), (0, 1))), mask

    def _objects(self, names: tuple[str, ...], width: int) -> tuple[Array, NDArray[np.bool_]]:
        """Return list columns padded with zeros `(N, width, features)`; no object where a column is missing."""
        if not all(name in self.batch.table.column_names for name in names):
            return np.zeros((len(self), width, len(names))), np.zeros((len(self), width), dtype=np.bool_)
        padded = [self.batch.padded(name, width) for name in names]
        mask = np.logical_and.reduce([one[1] for one in padded])
        return np.stack([one[0].astype(np.float64) for one in padded], axis=-1) * mask[..., None], mask

    def first_lepton(self, feature: str) -> tuple[Array, NDArray[np.bool_]]:
        """Return the column ``lepton_<feature>`` of the leading lepton and whether there is one, `(N,)` each."""
        values, mask = self.batch.padded(f"lepton_{feature}", 1)
        return values[:, 0].astype(np.float64), mask[:, 0]
