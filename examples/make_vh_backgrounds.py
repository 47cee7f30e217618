"""Write a background of `vh_bit.yaml` or `vh_wh.yaml`: ``python examples/make_vh_backgrounds.py SAMPLE FILE SHOWERS``.

All are of Pythia 8 at leading order and 13.6 TeV, without multiparton interactions, as the signals. SAMPLE is

- ``zbb``: pp → Z + jets with Z → ee, μμ and p̂T > 55 GeV;
- ``ttbar``: pp → tt̄ with two electrons or muons;
- ``wbb``: pp → W + jets with W → eν, μν and p̂T > 110 GeV;
- ``ttbar_one_lepton``: pp → tt̄ with one electron or muon in the detector, whatever the other W does, and p̂T > 30 GeV.

SHOWERS hard processes are made. Those with the leptons of the selection (two of one flavour that may be those of a Z;
or one, with neutrinos of 100 GeV together) are showered. If then the pair has pT > 65 GeV, or lepton and neutrinos
115 GeV, and there are two b quarks apart from each other, they are hadronised several times (`Sample.copies`, which
`import.copies` must be told) and written as HepMC. Hard processes are drawn with a power of p̂T more than nature does,
so that many are at large pT, and weighted back. The file states the cross section of what is in it, that of Pythia
times the part that passed; corrections of QCD (+20% for V + jets, +80% for tt̄) are not in it.

The b quarks of ``zbb`` and ``wbb`` come from the proton and from gluons that split in the shower. The matrix elements
of V bb̄, most of all gg → Z bb̄ with both quarks at large angles, are not in Pythia: the true backgrounds are larger.
Jets of c and light quarks that are tagged are left out.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyhepmc
import pythia8mc

from partonic.simulation.event_record import RecordBuffer, find_layout
from partonic.simulation.harvest import harvest
from partonic.simulation.particles import ParticleTable, delta_phi, pseudorapidity
from partonic.simulation.species import has_heavy_quark

LEPTONS, NEUTRINOS = (11, 13), (12, 14, 16)
TO_LEPTONS = ("onMode = off", "onIfAny = 11 13")
TOPS = ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on")
REFERENCE_PT = 100.0


@dataclass(frozen=True)
class Sample:
    """A background.

    Attributes:
        settings: of Pythia.
        leptons: number of them in the selection.
        power: of p̂T, that hard processes are drawn with more than nature does.
        copies: how often a parton event is hadronised.
    """

    settings: tuple[str, ...]
    leptons: int
    power: float = 0.0
    copies: int = 4

    def bias(self) -> tuple[str, ...]:
        """Return the settings of Pythia for that."""
        names = {"": "on", "Ref": REFERENCE_PT, "Pow": self.power}
        return tuple(f"PhaseSpace:bias2Selection{name} = {value}" for name, value in names.items() if self.power)


SAMPLES = {
    "zbb": Sample(
        ("WeakBosonAndParton:qqbar2gmZg = on", "WeakBosonAndParton:qg2gmZq = on", "23:mMin = 50", "23:mMax = 150",
         *(f"23:{each}" for each in TO_LEPTONS), "PhaseSpace:pTHatMin = 55"), leptons=2, power=1.5, copies=8,
    ),
    "ttbar": Sample((*TOPS, *(f"24:{each}" for each in TO_LEPTONS)), leptons=2),
    "wbb": Sample(
        ("WeakBosonAndParton:qqbar2Wg = on", "WeakBosonAndParton:qg2Wq = on",
         *(f"24:{each}" for each in TO_LEPTONS), "PhaseSpace:pTHatMin = 110"), leptons=1, power=1.5, copies=8,
    ),
    "ttbar_one_lepton": Sample((*TOPS, "PhaseSpace:pTHatMin = 30"), leptons=1, power=1.5),
}  # fmt: skip
BASE = (
    "Beams:eCM = 13600", "PartonLevel:MPI = off", "HadronLevel:all = off", "Print:quiet = on",
    "Next:numberShowEvent = 0", "Next:numberShowInfo = 0", "Next:numberShowProcess = 0", "Random:setSeed = on",
    "ParticleDecays:limitTau0 = on", "ParticleDecays:tau0Max = 10",
)  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """What an event must have after the shower, looser than the selection of the analysis. Momenta in GeV."""

    leptons: int
    lepton_pt: float = 15.0
    pair_pt: float = 65.0
    pair_mass: tuple[float, float] = (65.0, 115.0)
    only_lepton_pt: float = 25.0
    w_pt: float = 115.0
    b_pt: float = 22.0
    b_distance: float = 0.3
    eta: float = 2.6

    def passes(self, particles: ParticleTable) -> bool:
        """Return whether the final particles of one event pass."""
        central = np.abs(pseudorapidity(particles.momenta)) < self.eta
        bottom = particles.select((np.abs(particles.pdg) == 5) & (particles.pt > self.b_pt) & central)
        if not self._are_apart(bottom):
            return False
        if self.leptons == 1:
            return self._has_w(particles, central & (particles.pt > self.only_lepton_pt))
        hard = central & (particles.pt > self.lepton_pt)
        return any(self._is_z(particles, hard, flavour) for flavour in LEPTONS)

    def _are_apart(self, bottom: ParticleTable) -> bool:
        eta, phi = bottom.eta, bottom.phi
        distance = np.hypot(eta[:, None] - eta, delta_phi(phi[:, None], phi))
        return bool((distance > self.b_distance).any())

    def _has_w(self, one: ParticleTable, hard: np.ndarray) -> bool:
        leptons = one.momenta[hard & np.isin(np.abs(one.pdg), LEPTONS)]
        if not len(leptons):
            return False
        hardest = leptons[np.argmax(np.hypot(leptons[:, 1], leptons[:, 2]))]
        whole = hardest + one.momenta[np.isin(np.abs(one.pdg), NEUTRINOS)].sum(axis=0)
        return math.hypot(whole[1], whole[2]) > self.w_pt

    def _is_z(self, one: ParticleTable, hard: np.ndarray, flavour: int) -> bool:
        for minus in one.momenta[hard & (one.pdg == flavour)]:
            for plus in one.momenta[hard & (one.pdg == -flavour)]:
                whole = minus + plus
                mass = math.sqrt(max(whole[0] ** 2 - (whole[1:] ** 2).sum(), 0.0))
                if self.pair_mass[0] < mass < self.pair_mass[1] and math.hypot(whole[1], whole[2]) > self.pair_pt:
                    return True
        return False


class HardLeptons(pythia8mc.UserHooks):
    """Leaves hard processes out whose leptons are none of the selection; the shower moves them by little.

    Attributes:
        sample: what is asked for.
        count: number of hard processes.
        sum_of_weights: of all of them; Pythia tells only that of those it was let finish.
    """

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        self.sample, self.count, self.sum_of_weights = sample, 0, 0.0

    def canVetoProcessLevel(self) -> bool:  # noqa: N802 (a name of Pythia)
        """Say that this is looked at."""
        return True

    def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802 (a name of Pythia)
        """Return whether to leave it out."""
        self.count += 1
        self.sum_of_weights += (REFERENCE_PT / process.at(5).pT()) ** self.sample.power
        particles = [process.at(row) for row in range(3, process.size())]
        hard = [each for each in particles if abs(each.id()) in LEPTONS and each.pT() > 10.0 and abs(each.eta()) < 2.9]
        if self.sample.leptons == 2:
            found = sorted(each.id() for each in hard)
            return len(found) != 2 or found[0] != -found[1]
        chosen = [each for each in hard if each.pT() > 20.0]
        if len(chosen) != 1:
            return True
        whole = chosen + [each for each in particles if each.isFinal() and abs(each.id()) in NEUTRINOS]
        return math.hypot(sum(each.px() for each in whole), sum(each.py() for each in whole)) < 100.0


def started(sample: Sample, seed: int) -> tuple[Any, HardLeptons]:
    """Return an initialised Pythia and its filter of hard processes."""
    pythia = pythia8mc.Pythia("", False)
    for setting in (*BASE, *sample.settings, *sample.bias(), f"Random:seed = {seed}"):
        if not pythia.readString(setting):
            raise SystemExit(f"Pythia does not know '{setting}'")
    hook = HardLeptons(sample)
    pythia.setUserHooksPtr(hook)
    if not pythia.init():
        message = "Pythia could not be initialised"
        raise SystemExit(message)
    return pythia, hook


def hepmc_event(record: Any, number: int, beam_energy: float, weight: float) -> pyhepmc.GenEvent:
    """Return final particles and the last b and c hadrons, with which of them comes from which."""
    size = record.size()
    pdg = np.array([record.at(i).id() for i in range(size)])
    final = np.array([record.at(i).isFinal() for i in range(size)])
    mother = np.array([record.at(i).mother1() for i in range(size)])
    daughter = np.array([record.at(i).daughter1() for i in range(size)])
    hadron = (np.abs(np.array([record.at(i).status() for i in range(size)])) > 80) & (np.abs(pdg) > 400)
    heavy = np.zeros(size, dtype=bool)
    for quark in (4, 5):
        same = has_heavy_quark(np.abs(pdg), quark)
        heavy |= hadron & same & ~((daughter > 0) & same[daughter])
    kept = np.flatnonzero(heavy | final)
    place = {int(row): 2 + at for at, row in enumerate(kept)}
    parents = np.zeros((len(kept) + 2, 2), dtype=np.int32)
    parents[:2] = -1
    for at, row in enumerate(kept, start=2):
        above = int(mother[row])
        while above > 0 and not heavy[above]:
            above = int(mother[above])
        parents[at] = (place[above],) * 2 if above > 0 else (0, 1)
    momenta = np.array([[record.at(int(i)).px(), record.at(int(i)).py(), record.at(int(i)).pz(), record.at(int(i)).e(),
                         record.at(int(i)).m()] for i in kept])  # fmt: skip
    beams = [[0.0, 0.0, sign * beam_energy, beam_energy, 0.938] for sign in (1.0, -1.0)]
    px, py, pz, energy, mass = np.ascontiguousarray(np.vstack([beams, momenta]).T)
    status = np.concatenate([[4, 4], np.where(final[kept], 1, 2)]).astype(np.int32)
    ids = np.concatenate([[2212, 2212], pdg[kept]]).astype(np.int32)
    event = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    event.from_hepevt(number, px, py, pz, energy, mass, ids, status, parents, fortran=False)
    event.weights = [weight]
    return event


def with_cross_section(event: pyhepmc.GenEvent, picobarn: float, error: float) -> pyhepmc.GenEvent:
    """Return the event with a cross section."""
    section = pyhepmc.GenCrossSection()
    section.set_cross_section(picobarn, error, -1, -1)
    event.cross_section = section
    return event


def main(name: str, path: str, showers: str, seed: str = "1") -> None:
    """Write the file."""
    sample = SAMPLES[name]
    pythia, hook = started(sample, int(seed))
    wanted = Filter(sample.leptons)
    written, sums = 0, np.zeros(2)
    waiting: pyhepmc.GenEvent | None = None
    buffer: RecordBuffer | None = None

    def section() -> tuple[float, float]:
        # of all hard processes: that of Pythia counts those only that the hook let pass, each as one
        info = pythia.infoPython()
        whole = 1e9 * info.sigmaGen() * hook.count / max(info.nAccepted(), 1)
        return whole * sums[0] / hook.sum_of_weights, whole * sums[1] ** 0.5 / hook.sum_of_weights

    with pyhepmc.open(path, "w") as file:
        while hook.count < int(showers):
            if not pythia.next():
                continue
            buffer = buffer or RecordBuffer(find_layout(pythia.event))
            buffer.add(pythia.event)
            records = buffer.take()
            if ((np.abs(records["id"]) == 5) & (records["status"] > 0)).sum() < 2:
                continue  # most events, told quickly
            if not wanted.passes(harvest(records).particles):
                continue
            weight = pythia.infoPython().weight()
            sums += (weight, weight**2)
            for event in hadronised(pythia, sample.copies):
                if waiting is not None:
                    file.write(waiting)
                written += 1
                waiting = hepmc_event(event, written, 6800.0, weight)
                with_cross_section(waiting, *section())
        if waiting is None:
            raise SystemExit(f"none of {hook.count} hard processes passed: make more")
        file.write(with_cross_section(waiting, *section()))
    effective = sums[0] ** 2 / sums[1]
    sys.stdout.write(
        f"{written // sample.copies} of {hook.count} passed, which count as {effective:.0f}: {section()[0]:.4g} pb, "
        f"{written} events in {path}\n"
    )


def hadronised(pythia: Any, copies: int) -> Iterator[Any]:
    """Yield the record of the event, hadronised several times."""
    before, made = pythia8mc.Event(pythia.event), 0
    while made < copies:
        pythia.event.assign(before)
        if pythia.forceHadronLevel():
            made += 1
            yield pythia.event


if __name__ == "__main__":
    main(*sys.argv[1:])
