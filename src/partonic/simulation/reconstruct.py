"""From particles to reconstructed, selected events: detector response, leptons, photons, jets, b tags, cuts.

The same function serves our own shower and the particle-level events of other generators (HepMC).
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from partonic.config.selection import SelectionConfig
from partonic.config.simulation import SimulationConfig
from partonic.events.object_cuts import Candidates
from partonic.events.selection import SELECTED, counted_jets, jet_cut, object_cut
from partonic.simulation.detector import MeasuredParticles, lepton_response, measure
from partonic.simulation.jets import JetTable, cluster, energy_scale, uncorrected_pt
from partonic.simulation.leptons import IsolatedLeptons, isolated_leptons
from partonic.simulation.matching import nearest_pt
from partonic.simulation.particles import ParticleTable, azimuth, pseudorapidity
from partonic.simulation.photons import IsolatedPhotons, isolated_photons
from partonic.simulation.species import Species, species_of
from partonic.simulation.tagging import jet_flavour, tag

__all__ = ["Leptons", "ParticleLevel", "Photons", "RecoObjects", "reconstruct"]


_VISIBLE_ETA = 5.0
"""Particle-level jets are made of particles with smaller |η|."""


@dataclass(frozen=True)
class ParticleLevel:
    """Events before the detector.

    Attributes:
        particles: final particles of N events.
        heavy: last b and c hadrons of the same events (quarks, without hadronization), for the flavour of jets.
    """

    particles: ParticleTable
    heavy: ParticleTable


@dataclass(frozen=True)
class Leptons:
    """Isolated electrons and muons of the selected events, descending in pT.

    Attributes:
        momenta: four-vectors in GeV, `(L, 4)`.
        pdg: ±11, ±13, `(L,)`.
        isolation: relative isolation, `(L,)`.
        offsets: where the leptons of each selected event begin.
    """

    momenta: Float[np.ndarray, "leptons 4"]
    pdg: Int[np.ndarray, " leptons"]
    isolation: Float[np.ndarray, " leptons"]
    offsets: Int[np.ndarray, " bounds"]


@dataclass(frozen=True)
class Photons:
    """Identified, isolated photons of the selected events, descending in pT.

    Attributes:
        momenta: four-vectors in GeV, `(P, 4)`.
        isolation: relative isolation, `(P,)`.
        offsets: where the photons of each selected event begin.
    """

    momenta: Float[np.ndarray, "photons 4"]
    isolation: Float[np.ndarray, " photons"]
    offsets: Int[np.ndarray, " bounds"]


@dataclass(frozen=True)
class RecoObjects:
    """Result of the reconstruction of N events, S of which are selected.

    Attributes:
        cut: index of the first cut failed, `SELECTED` for none, `(N,)`.
        jets: jets of the selected events.
        flavour: true flavour of the jets: 5, 4, 0.
        tagged: whether each jet is b-tagged.
        true_pt: pT in GeV of the particle-level jet of each jet, NaN for none.
        leptons: leptons of the selected events.
        met: missing momentum (px, py) of the selected events in GeV, `(S, 2)`.
        photons: photons of the selected events; None where they were not asked for.
    """

    cut: Int[np.ndarray, " events"]
    jets: JetTable
    flavour: Int[np.ndarray, " jets"]
    tagged: Bool[np.ndarray, " jets"]
    true_pt: Float[np.ndarray, " jets"]
    leptons: Leptons
    met: Float[np.ndarray, "selected 2"]
    photons: Photons | None = None

    @property
    def selected(self) -> Bool[np.ndarray, " events"]:
        """Events that pass all cuts."""
        result: Bool[np.ndarray, " events"] = self.cut == SELECTED
        return result


def reconstruct(events: ParticleLevel, generator: np.random.Generator, config: SimulationConfig) -> RecoObjects:
    """Return what a detector would see of the events, and which of them pass the selection.

    Some hundred events at a time are fastest.

    Args:
        events: particles of N events.
        generator: of the random numbers of the detector response.
        config: detector, jets and selection.
    """
    response = lepton_response(events.particles, config.detector, generator)
    possible = _enough_leptons(events.particles, response, config.selection)
    # Most of the time goes into the other particles: only events that can pass the lepton cut need theirs.
    kept = ParticleLevel(events.particles.select_events(possible), events.heavy.select_events(possible))
    objects = _reconstruct(kept, response[np.repeat(possible, events.particles.counts)], generator, config)
    cut = np.zeros(len(possible), dtype=np.int8)
    cut[possible] = objects.cut
    return replace(objects, cut=cut)


def _enough_leptons(
    particles: ParticleTable, response: Float[np.ndarray, " particles"], selection: SelectionConfig
) -> Bool[np.ndarray, " events"]:
    """Return which events have enough measured electrons and muons, identified and isolated or not."""
    row = np.flatnonzero(response)
    momenta = particles.momenta[row]
    pt = np.hypot(momenta[:, 1], momenta[:, 2]) * response[row]
    hard = row[(pt > selection.lepton_pt_min) & (np.abs(pseudorapidity(momenta)) < selection.lepton_eta_max)]
    result: Bool[np.ndarray, " events"] = np.diff(np.searchsorted(hard, particles.offsets)) >= selection.leptons
    return result


def _reconstruct(
    events: ParticleLevel,
    response: Float[np.ndarray, " particles"],
    generator: np.random.Generator,
    config: SimulationConfig,
) -> RecoObjects:
    """Reconstruct events whose leptons were measured, with `response` from `lepton_response`."""
    measured = measure(events.particles, config.detector, generator, response)
    leptons = isolated_leptons(measured, config.detector, generator)
    photons = IsolatedPhotons.none(events.particles.num_events)
    if config.with_photons:
        photons = isolated_photons(measured, leptons, config.detector, generator)
    cut = _cut_on_objects(measured, leptons, photons, config)
    passed = cut == SELECTED
    jets = _jets(measured, leptons, photons, passed, config)
    flavour = jet_flavour(jets, events.heavy.select_events(passed), config.detector.b_tagging)
    tagged = tag(jets, flavour, config.detector.b_tagging, generator)
    counted = counted_jets(jets.pt, tagged, jets.event, len(jets.counts), config.selection)
    cut[passed] = jet_cut(*counted, config.selection)
    kept = cut[passed] == SELECTED
    of_kept = np.repeat(kept, jets.counts)
    jets = jets.select_events(kept)
    return RecoObjects(
        cut=cut,
        jets=jets,
        flavour=flavour[of_kept],
        tagged=tagged[of_kept],
        true_pt=_true_pt(events.particles, measured, (leptons, photons), jets, cut == SELECTED, config),
        leptons=_selected_leptons(measured, leptons, cut == SELECTED, config),
        met=_missing_momentum(measured.particles, cut == SELECTED),
        photons=_selected_photons(measured, photons, cut == SELECTED, config) if config.with_photons else None,
    )


def _inside(
    measured: MeasuredParticles, row: Int[np.ndarray, " objects"], eta_max: float
) -> Bool[np.ndarray, " objects"]:
    inside: Bool[np.ndarray, " objects"] = np.abs(pseudorapidity(measured.particles.momenta[row])) < eta_max
    return inside


def _cut_on_objects(
    measured: MeasuredParticles, leptons: IsolatedLeptons, photons: IsolatedPhotons, config: SimulationConfig
) -> Int[np.ndarray, " events"]:
    """Return the first cut on leptons, photons and missing momentum that events fail."""
    selection, events = config.selection, measured.particles.num_events
    met = None
    if selection.wants_missing_momentum:
        missing = _missing_momentum(measured.particles, np.ones(events, dtype=bool))
        met = np.stack([np.hypot(missing[:, 0], missing[:, 1]), np.arctan2(missing[:, 1], missing[:, 0])], axis=-1)
    lepton_row = leptons.row[_inside(measured, leptons.row, selection.lepton_eta_max)]
    photon_row = photons.row[_inside(measured, photons.row, selection.photon_eta_max)]
    return object_cut(_candidates(measured, lepton_row), _candidates(measured, photon_row), met, events, selection)


def _candidates(measured: MeasuredParticles, row: Int[np.ndarray, " objects"]) -> Candidates:
    momenta = measured.particles.momenta[row]
    pt = np.hypot(momenta[:, 1], momenta[:, 2])
    event = np.searchsorted(measured.particles.offsets, row, side="right") - 1
    return Candidates(pt, pseudorapidity(momenta), azimuth(momenta), measured.particles.pdg[row], event)


def _jets(
    measured: MeasuredParticles,
    leptons: IsolatedLeptons,
    photons: IsolatedPhotons,
    passed: Bool[np.ndarray, " events"],
    config: SimulationConfig,
) -> JetTable:
    """Return the jets of the events that `passed`, without isolated leptons and photons, at the corrected scale."""
    others = np.ones(len(measured.source), dtype=bool)
    others[leptons.row] = False
    others[photons.row] = False
    inputs = measured.particles.select(others).select_events(passed)
    detector, settings = config.detector, config.jets
    raw = cluster(inputs, settings.radius, uncorrected_pt(settings.pt_min, detector.jet_scale_constant))
    jets = raw.scaled(energy_scale(raw.pt, raw.eta, detector.jet_scale_constant, detector.jet_scale_slope))
    return jets.select((jets.pt > settings.pt_min) & (np.abs(jets.eta) < settings.eta_max)).leading(settings.max_jets)


def _true_pt(
    truth: ParticleTable, measured: MeasuredParticles, isolated: tuple[IsolatedLeptons, IsolatedPhotons],
    jets: JetTable, selected: Bool[np.ndarray, " events"], config: SimulationConfig,
) -> Float[np.ndarray, " jets"]:  # fmt: skip
    """Return the pT of the particle-level jets: the same particles as seen by the jets, but with their true momenta."""
    settings = config.jets
    others = np.ones(len(truth.pdg), dtype=bool)
    for objects in isolated:
        others[measured.source[objects.row]] = False
    inputs = truth.select(others & np.repeat(selected, truth.counts)).select_events(selected)
    seen = (species_of(inputs.pdg) != Species.INVISIBLE) & (np.abs(inputs.eta) < _VISIBLE_ETA)
    true_jets = cluster(inputs.select(seen), settings.radius, settings.particle_pt_min)
    return nearest_pt(jets, true_jets, settings.match_radius)


def _selected_leptons(
    measured: MeasuredParticles,
    leptons: IsolatedLeptons,
    selected: Bool[np.ndarray, " events"],
    config: SimulationConfig,
) -> Leptons:
    particles = measured.particles
    pt = particles.pt[leptons.row]
    counted = _inside(measured, leptons.row, config.selection.lepton_eta_max) & (pt > config.selection.veto_pt_min)
    counted &= np.repeat(selected, np.diff(leptons.offsets))
    row = leptons.row[counted]
    offsets = np.concatenate([[0], np.cumsum(counted)])[leptons.offsets]
    return Leptons(
        momenta=particles.momenta[row],
        pdg=particles.pdg[row],
        isolation=leptons.isolation[counted],
        offsets=np.concatenate([[0], np.cumsum(np.diff(offsets)[selected])]),
    )


def _selected_photons(
    measured: MeasuredParticles,
    photons: IsolatedPhotons,
    selected: Bool[np.ndarray, " events"],
    config: SimulationConfig,
) -> Photons:
    kept = _inside(measured, photons.row, config.selection.photon_eta_max)
    kept &= np.repeat(selected, np.diff(photons.offsets))
    offsets = np.concatenate([[0], np.cumsum(kept)])[photons.offsets]
    return Photons(
        momenta=measured.particles.momenta[photons.row[kept]],
        isolation=photons.isolation[kept],
        offsets=np.concatenate([[0], np.cumsum(np.diff(offsets)[selected])]),
    )


def _missing_momentum(particles: ParticleTable, selected: Bool[np.ndarray, " events"]) -> Float[np.ndarray, "s 2"]:
    """Return minus the sum of the transverse momenta of all measured particles."""
    seen = particles.select_events(selected)
    totals = np.concatenate([np.zeros((1, 2)), np.cumsum(seen.momenta[:, 1:3], axis=0)])
    result: Float[np.ndarray, "s 2"] = totals[seen.offsets[:-1]] - totals[seen.offsets[1:]]
    return result
