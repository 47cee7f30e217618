"""Observables of partons and of reconstructed events, each with its axis.

An observable gives a value for each event and says for which events it is defined (a second jet may not exist).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.events.batch import MAX_JETS
from partonic.events.schema import StoreMetadata
from partonic.physics.fourvector import mass
from partonic.physics.kinematics import azimuth, delta_phi, pseudorapidity, rapidity, transverse_momentum
from partonic.plots.axis import Axis
from partonic.process_registry import find_process, process_names
from partonic.processes.definition import PartonObservable
from partonic.report.labels import particle_label, produced_particles
from partonic.report.object_observables import object_observables
from partonic.report.views import BatchObjects, BatchPartons

__all__ = ["Observable", "PartonGroup", "parton_groups", "parton_observables", "reco_observables"]

Array = NDArray[np.float64]
View = TypeVar("View", BatchPartons, BatchObjects)


@dataclass(frozen=True)
class Observable(Generic[View]):
    """A number per event.

    Attributes:
        axis: label, unit and default bins.
        evaluate: gives values and where they are defined, `(N,)` each.
    """

    axis: Axis
    evaluate: Callable[[View], tuple[Array, NDArray[np.bool_]]]


@dataclass(frozen=True)
class PartonGroup:
    """Observables of the same kind for several particles, drawn in one figure.

    Attributes:
        axis: common axis; its name is that of the figure.
        members: legend entry and observable of each curve.
    """

    axis: Axis
    members: tuple[tuple[str, Observable[BatchPartons]], ...]


def _of_partons(axis: Axis, function: Callable[[torch.Tensor], torch.Tensor]) -> Observable[BatchPartons]:
    def evaluate(view: BatchPartons) -> tuple[Array, NDArray[np.bool_]]:
        return function(view.momenta).numpy(), np.ones(len(view), dtype=np.bool_)

    return Observable(axis, evaluate)


def _single(function: Callable[[torch.Tensor], torch.Tensor], index: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda momenta: function(momenta[:, index])


def _pair_mass(first: int, second: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda momenta: mass(momenta[:, first] + momenta[:, second])


def _pair_azimuth(first: int, second: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda momenta: delta_phi(azimuth(momenta[:, first]), azimuth(momenta[:, second])).abs()


def _pair_rapidity(first: int, second: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda momenta: (rapidity(momenta[:, first]) - rapidity(momenta[:, second])).abs()


def _total_mass(momenta: torch.Tensor) -> torch.Tensor:
    return mass(momenta.sum(dim=1))


def _total_rapidity(momenta: torch.Tensor) -> torch.Tensor:
    return rapidity(momenta.sum(dim=1))


def _of_process(observable: PartonObservable, pdg: Sequence[int]) -> Observable[BatchPartons]:
    """Return an observable that a process brings."""

    def function(momenta: torch.Tensor) -> torch.Tensor:
        return observable.of(momenta, torch.tensor(pdg).expand(len(momenta), -1))

    logarithmic = observable.logarithmic
    axis = Axis.regular(observable.name, observable.label, observable.bins, observable.unit, logarithmic=logarithmic)
    return _of_partons(axis, function)


def _symbols(metadata: StoreMetadata) -> tuple[str, ...]:
    return tuple(particle_label(*pair) for pair in zip(metadata.parton_pdg, metadata.parton_names, strict=True))


def parton_groups(metadata: StoreMetadata) -> tuple[PartonGroup, ...]:
    """Return the observables of the hard process, grouped into figures, for any final state."""
    symbols = _symbols(metadata)
    number = len(symbols)
    system, masses = _produced(metadata)
    threshold = 50.0 * (sum(sorted(masses)[:2]) // 50.0) if len(masses) == number else 0.0
    singles = (
        (Axis.regular("parton_pt", r"$p_\mathrm{T}$", (40, 0.0, 600.0), "GeV", logarithmic=True), transverse_momentum),
        (Axis.regular("parton_eta", r"$\eta$", (40, -5.0, 5.0)), pseudorapidity),
        (Axis.regular("parton_rapidity", r"$y$", (40, -4.0, 4.0)), rapidity),
    )
    pairs = (
        (Axis.regular("parton_pair_mass", r"$m$(pair)", (40, threshold, threshold + 1000.0), "GeV", logarithmic=True),
         _pair_mass),
        (Axis.regular("parton_delta_phi", r"$|\Delta\phi|$", (32, 0.0, float(np.pi)), "rad"), _pair_azimuth),
        (Axis.regular("parton_delta_y", r"$|\Delta y|$", (32, 0.0, 4.0)), _pair_rapidity),
    )  # fmt: skip
    groups = [
        PartonGroup(axis, tuple((f"${symbols[i]}$", _of_partons(axis, _single(function, i))) for i in range(number)))
        for axis, function in singles
    ]
    combinations = list(itertools.combinations(range(number), 2))[:6]
    groups += [
        PartonGroup(
            axis, tuple((f"${symbols[i]}\\,{symbols[j]}$", _of_partons(axis, function(i, j))) for i, j in combinations)
        )
        for axis, function in pairs
    ]
    groups += [
        PartonGroup(axis, ((f"${system}$", _of_partons(axis, function)),))
        for axis, function in (
            (_total_mass_axis(metadata), _total_mass),
            (Axis.regular("parton_system_rapidity", rf"$y({system})$", (40, -4.0, 4.0)), _total_rapidity),
        )
    ]
    return tuple(groups)


def _produced(metadata: StoreMetadata) -> tuple[str, list[float]]:
    """Return the symbol of all that is produced, and the masses."""
    produced = produced_particles(metadata)
    return "".join(symbol for symbol, _ in produced), [mass for _, mass in produced]


def _total_mass_axis(metadata: StoreMetadata) -> Axis:
    system, masses = _produced(metadata)
    low = 100.0 * (sum(masses) // 100.0)
    return Axis.regular("parton_mass", rf"$m({system})$", (40, low, low + 1400.0), "GeV", logarithmic=True)


def parton_observables(metadata: StoreMetadata) -> tuple[Observable[BatchPartons], ...]:
    """Return the parton-level observables at which the effect of θ is shown."""
    symbols = _symbols(metadata)
    chosen = [
        _of_partons(
            Axis.regular(f"pt_{name}", rf"$p_\mathrm{{T}}({symbol})$", (25, 0.0, 500.0), "GeV", logarithmic=True),
            _single(transverse_momentum, index),
        )
        for index, (name, symbol) in enumerate(zip(metadata.parton_names, symbols, strict=True))
        if metadata.parton_pdg[index] != -6
    ]
    chosen.append(_of_partons(_total_mass_axis(metadata).with_edges(_mass_edges(metadata)), _total_mass))
    if metadata.process in process_names():
        own = find_process(metadata.process).observables(metadata.parton_names)
        chosen += [_of_process(observable, metadata.parton_pdg) for observable in own]
    return tuple(chosen)


def _mass_edges(metadata: StoreMetadata) -> tuple[float, ...]:
    return _total_mass_axis(metadata).edges[::2]


def _always(function: Callable[[BatchObjects], Array]) -> Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]:
    return lambda view: (np.asarray(function(view), dtype=np.float64), np.ones(len(view), dtype=np.bool_))


def _jet_pt(rank: int) -> Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]:
    return lambda view: (view.jet_pt[:, rank], view.jet_mask[:, rank])


def _lepton(feature: str) -> Callable[[BatchObjects], tuple[Array, NDArray[np.bool_]]]:
    return lambda view: view.first_lepton(feature)


def _met(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    known = view.batch.valid("met_pt")
    return view.batch.table.column("met_pt").fill_null(0.0).to_numpy().astype(np.float64), known


def _w_transverse_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """m_T = √(2 pT(ℓ) pT(miss) (1 − cos Δφ))."""
    (pt, exists), (phi, _), (met, known) = view.first_lepton("pt"), view.first_lepton("phi"), _met(view)
    met_phi = view.batch.table.column("met_phi").fill_null(0.0).to_numpy().astype(np.float64)
    return np.sqrt(2 * pt * met * (1 - np.cos(phi - met_phi))), exists & known


def _closest_pair_mass(view: BatchObjects) -> tuple[Array, NDArray[np.bool_]]:
    """Mass of the two b-tagged jets that are closest in ΔR."""
    eta, phi = (view.jet(name).astype(np.float64) for name in ("eta", "phi"))
    best = np.full(len(view), np.inf)
    chosen = np.zeros(len(view))
    momenta = view.jet_momenta
    for i, j in itertools.combinations(range(MAX_JETS), 2):
        both = view.tagged[:, i] & view.tagged[:, j]
        if not both.any():
            continue
        azimuths = np.angle(np.exp(1j * (phi[:, i] - phi[:, j])))
        distance = np.where(both, np.hypot(eta[:, i] - eta[:, j], azimuths), np.inf)
        closer = distance < best
        chosen = np.where(closer, mass(momenta[:, i] + momenta[:, j]).numpy(), chosen)
        best = np.where(closer, distance, best)
    return chosen, np.isfinite(best)


def reco_observables(metadata: StoreMetadata | None = None) -> tuple[Observable[BatchObjects], ...]:
    """Return the observables of reconstructed events.

    Args:
        metadata: of their store, for those of photons and of several leptons, where it has them; None: without these.
    """
    of_objects = () if metadata is None else object_observables(metadata)
    return (*_of_all_events(), *(Observable(axis, function) for axis, function in of_objects))


def _of_all_events() -> tuple[Observable[BatchObjects], ...]:
    return (
        Observable(Axis.counts("jet_multiplicity", "number of jets", (0, 14)), _always(lambda v: v.jet_mask.sum(1))),
        Observable(Axis.counts("tag_multiplicity", "number of b-tagged jets", (0, 7)),
                   _always(lambda v: v.tagged.sum(1))),
        Observable(_momentum("jet1_pt", r"$p_\mathrm{T}$(leading jet)", 500.0), _jet_pt(0)),
        Observable(_momentum("jet4_pt", r"$p_\mathrm{T}$(fourth jet)", 200.0), _jet_pt(3)),
        Observable(_momentum("ht", r"$H_\mathrm{T}$", 1500.0),
                   _always(lambda v: np.where(v.jet_mask, v.jet_pt, 0.0).sum(1))),
        Observable(_momentum("lepton_pt", r"$p_\mathrm{T}$(lepton)", 300.0), _lepton("pt")),
        Observable(Axis.regular("lepton_eta", r"$\eta$(lepton)", (25, -2.5, 2.5)), _lepton("eta")),
        Observable(_momentum("met", r"$p_\mathrm{T}^\mathrm{miss}$", 400.0), _met),
        Observable(Axis.regular("transverse_mass", r"$m_\mathrm{T}(\ell, p_\mathrm{T}^\mathrm{miss})$",
                                (30, 0.0, 240.0), "GeV"), _w_transverse_mass),
        Observable(Axis.regular("closest_pair_mass", r"$m$(closest b-tagged pair)", (30, 0.0, 300.0), "GeV"),
                   _closest_pair_mass),
    )  # fmt: skip


def _momentum(name: str, label: str, high: float) -> Axis:
    return Axis.regular(name, label, (25, 0.0, high), "GeV", logarithmic=True)
