"""LHE files of ttH events for the tests of the simulation, made with Pythia's own hard processes."""

import gzip

import numpy as np
import pytest

from partonic.config.simulation import SimulationConfig
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials
from partonic.simulation.lhe_chunk import parse_chunk
from partonic.simulation.lhe_source import event_texts, lhe_facts
from partonic.simulation.particles import ParticleTable, event_offsets
from partonic.simulation.shower import Shower

EVENTS = 600


@pytest.fixture(scope="session")
def tth():
    return ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.constant(), 13000.0)


@pytest.fixture(scope="session")
def lhe_texts():
    """Preamble and events of undecayed ttH, one unit of weight being the cross section."""
    pythia8mc = pytest.importorskip("pythia8mc")
    pythia = pythia8mc.Pythia("", False)
    for setting in (
        "Print:quiet = on", "Beams:eCM = 13000", "HiggsSM:gg2Httbar = on", "HiggsSM:qqbar2Httbar = on",
        "PartonLevel:all = off", "HadronLevel:all = off", "ProcessLevel:resonanceDecays = off", "6:m0 = 172.5",
        "6:mWidth = 0.0001", "6:doForceWidth = on", "25:mWidth = 0.0001", "25:doForceWidth = on",
        "Random:setSeed = on", "Random:seed = 5",
    ):  # fmt: skip
        assert pythia.readString(setting)
    pythia.init()
    preamble = (
        '<LesHouchesEvents version="3.0">\n<header>\n</header>\n<init>\n2212 2212 6500.0 6500.0 0 0 0 0 -4 1\n'
        "0.4 0.0 0.4 1\n</init>\n"
    )
    events = []
    while len(events) < EVENTS:
        if pythia.next():
            scale, alpha_s = pythia.infoPython().QRen(), pythia.infoPython().alphaS()
            sign = -1 if len(events) % 7 == 3 else 1
            events.append(
                f"<event>\n5 1 {0.4 * sign!r} {scale!r} 0.0078 {alpha_s!r}\n{_lines(pythia.process)}</event>\n"
            )
    return preamble, events


def _lines(process):
    outgoing = {process.at(i).id(): i for i in range(5, process.size()) if process.at(i).isFinal()}
    lines = []
    for index in (3, 4, outgoing[25], outgoing[6], outgoing[-6]):
        p = process.at(index)
        head = "-1 0 0" if index < 5 else "1 1 2"
        mass = 0.0 if index < 5 else p.m()
        numbers = " ".join(map(repr, (p.px(), p.py(), p.pz(), p.e(), mass)))
        lines.append(f"{p.id()} {head} {p.col()} {p.acol()} {numbers} 0. 9.\n")
    return "".join(lines)


@pytest.fixture(scope="session")
def write_lhe(lhe_texts):
    """Function that writes the first `events` events to a path."""

    def write(path, events=EVENTS, preamble=None, edit=lambda text: text):
        content = (preamble or lhe_texts[0]) + "".join(map(edit, lhe_texts[1][:events])) + "</LesHouchesEvents>\n"
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress(content.encode()))
        else:
            path.write_text(content)
        return path

    return write


@pytest.fixture(scope="session")
def lhe(write_lhe, tmp_path_factory):
    return write_lhe(tmp_path_factory.mktemp("lhe") / "tth.lhe.gz")


@pytest.fixture(scope="session")
def facts(lhe):
    return lhe_facts(lhe)


@pytest.fixture(scope="session")
def chunk(lhe):
    return parse_chunk(list(event_texts(lhe))[:400], 0)


@pytest.fixture(scope="session")
def shower(facts):
    return Shower(SimulationConfig(), facts, seed=11)


@pytest.fixture(scope="session")
def showered(shower, chunk):
    """The 400 events of `chunk`, showered, in the order of `shower.order`."""
    (events,) = shower.run(chunk, 0)
    return events


@pytest.fixture(scope="session")
def shower_order(shower, chunk):
    return shower.order(len(chunk), 0)


@pytest.fixture
def toys():
    """Function that makes one particle of a kind per event, at given pT and η, massless."""

    def make(pdg, pt, eta, phi=None):
        pt, eta = np.broadcast_arrays(np.atleast_1d(pt).astype(float), np.atleast_1d(eta).astype(float))
        phi = np.zeros(len(pt)) if phi is None else phi
        momenta = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], axis=-1)
        return ParticleTable(np.full(len(pt), pdg), momenta, event_offsets(np.ones(len(pt), dtype=int)))

    return make
