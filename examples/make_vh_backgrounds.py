"""Write a background of `vh_bit.yaml`: ``python examples/make_vh_backgrounds.py PROCESS FILE SHOWERS [SEED]``.

PROCESS is ``zbb``, pp → Z + jets with Z → ee, μμ, or ``ttbar``, pp → tt̄ with two leptons, both at 13.6 TeV and leading
order by Pythia 8 (without multiparton interactions, as the signal of `vh_bit.yaml`). SHOWERS hard processes are made;
those with two leptons of one flavour that may be those of a Z are showered, and if the pair has pT > 65 GeV and there
are two b quarks apart from each other, hadronised `COPIES` times and written as HepMC. The file states the cross
section of what is in it, that of Pythia times the part that passed; corrections of QCD (+20% for Z + jets, +80% for tt̄)
are not in it. Copies share their partons: statistical errors of histograms that take them as independent are too small.

The b quarks of ``zbb`` come from the proton and from gluons that split in the shower. The matrix element of Z bb̄, most
of all gg → Z bb̄ with both quarks at large angles, is not in Pythia: the true background is larger. Jets of c and light
quarks that are tagged are left out.
"""

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyhepmc
import pythia8mc

from partonic.simulation.event_record import RecordBuffer, find_layout
from partonic.simulation.harvest import harvest
from partonic.simulation.particles import ParticleTable, delta_phi, pseudorapidity
from partonic.simulation.species import has_heavy_quark

PROCESSES = {
    "zbb": (
        "WeakBosonAndParton:qqbar2gmZg = on", "WeakBosonAndParton:qg2gmZq = on", "23:mMin = 50", "23:mMax = 150",
        "23:onMode = off", "23:onIfAny = 11 13", "PhaseSpace:pTHatMin = 55",
    ),
    "ttbar": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 11 13"),
}  # fmt: skip
COPIES = 4
BASE = (
    "Beams:eCM = 13600", "PartonLevel:MPI = off", "HadronLevel:all = off", "Print:quiet = on",
    "Next:numberShowEvent = 0", "Next:numberShowInfo = 0", "Next:numberShowProcess = 0", "Random:setSeed = on",
    "ParticleDecays:limitTau0 = on", "ParticleDecays:tau0Max = 10",
)  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """What an event must have after the shower, looser than the selection of the analysis. Momenta in GeV."""

    lepton_pt: float = 15.0
    pair_pt: float = 65.0
    pair_mass: tuple[float, float] = (65.0, 115.0)
    b_pt: float = 22.0
    b_distance: float = 0.3
    eta: float = 2.6

    def passes(self, particles: ParticleTable) -> bool:
        """Return whether the final particles of one event pass."""
        central = np.abs(pseudorapidity(particles.momenta)) < self.eta
        bottom = particles.select((np.abs(particles.pdg) == 5) & (particles.pt > self.b_pt) & central)
        hard = central & (particles.pt > self.lepton_pt)
        if not self._are_apart(bottom):
            return False
        return any(self._is_z(particles, hard, flavour) for flavour in (11, 13))

    def _are_apart(self, bottom: ParticleTable) -> bool:
        eta, phi = bottom.eta, bottom.phi
        distance = np.hypot(eta[:, None] - eta, delta_phi(phi[:, None], phi))
        return bool((distance > self.b_distance).any())

    def _is_z(self, one: ParticleTable, hard: np.ndarray, flavour: int) -> bool:
        for minus in one.momenta[hard & (one.pdg == flavour)]:
            for plus in one.momenta[hard & (one.pdg == -flavour)]:
                whole = minus + plus
                mass = math.sqrt(max(whole[0] ** 2 - (whole[1:] ** 2).sum(), 0.0))
                if self.pair_mass[0] < mass < self.pair_mass[1] and math.hypot(whole[1], whole[2]) > self.pair_pt:
                    return True
        return False


class LeptonsOfZ(pythia8mc.UserHooks):
    """Leaves hard processes out, before the shower, whose leptons are none of a Z in the detector.

    Attributes:
        seen: number of hard processes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def canVetoProcessLevel(self) -> bool:  # noqa: N802 (a name of Pythia)
        """Say that this is looked at."""
        return True

    def doVetoProcessLevel(self, process: Any) -> bool:  # noqa: N802 (a name of Pythia)
        """Return whether to leave it out; the shower moves leptons by little."""
        self.seen += 1
        particles = [process.at(row) for row in range(3, process.size())]
        found = sorted(each.id() for each in particles
                       if abs(each.id()) in (11, 13) and each.pT() > 10.0 and abs(each.eta()) < 2.9)  # fmt: skip
        return len(found) != 2 or found[0] != -found[1]


def started(process: str, seed: int, hook: LeptonsOfZ) -> Any:
    """Return an initialised Pythia."""
    pythia = pythia8mc.Pythia("", False)
    for setting in (*BASE, *PROCESSES[process], f"Random:seed = {seed}"):
        if not pythia.readString(setting):
            raise SystemExit(f"Pythia does not know '{setting}'")
    pythia.setUserHooksPtr(hook)
    if not pythia.init():
        message = "Pythia could not be initialised"
        raise SystemExit(message)
    return pythia


def hepmc_event(record: Any, number: int, beam_energy: float) -> pyhepmc.GenEvent:
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
    event.weights = [1.0]
    return event


def with_cross_section(event: pyhepmc.GenEvent, picobarn: float, error: float) -> pyhepmc.GenEvent:
    """Return the event with a cross section."""
    section = pyhepmc.GenCrossSection()
    section.set_cross_section(picobarn, error, -1, -1)
    event.cross_section = section
    return event


def main(process: str, path: str, showers: str, seed: str = "1") -> None:
    """Write the file."""
    hook, wanted = LeptonsOfZ(), Filter()
    pythia = started(process, int(seed), hook)
    whole = partons = written = 0
    waiting: pyhepmc.GenEvent | None = None
    buffer: RecordBuffer | None = None

    def section() -> float:
        # of all hard processes: that of Pythia counts those only that the hook let pass
        return 1e9 * pythia.infoPython().sigmaGen() * partons / max(whole, 1)

    with pyhepmc.open(path, "w") as file:
        while hook.seen < int(showers):
            if not pythia.next():
                continue
            whole += 1
            buffer = buffer or RecordBuffer(find_layout(pythia.event))
            buffer.add(pythia.event)
            records = buffer.take()
            if ((np.abs(records["id"]) == 5) & (records["status"] > 0)).sum() < 2:
                continue  # most events, told quickly
            if not wanted.passes(harvest(records).particles):
                continue
            partons += 1
            before = pythia8mc.Event(pythia.event)
            for _ in range(COPIES):
                pythia.event.assign(before)
                if not pythia.forceHadronLevel():
                    continue
                if waiting is not None:
                    file.write(waiting)
                written += 1
                waiting = hepmc_event(pythia.event, written, 6800.0)
                with_cross_section(waiting, section(), section() / partons**0.5)
        if waiting is None:
            raise SystemExit(f"none of {hook.seen} hard processes passed: make more")
        file.write(with_cross_section(waiting, section(), section() / partons**0.5))
    sys.stdout.write(f"{partons} of {hook.seen} passed: {section():.4g} pb, {written} events in {path}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
