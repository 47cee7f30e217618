"""How fast files of others are read: ``python benchmarks/importing.py [--quick]``.

Prints one JSON line. `lhe_ratio_to_pylhe`: CPU time of a bare loop of ``pylhe`` over the events of a gzipped LHE file
with ten weights at θ points, over that of our whole import of it (two passes, coefficients, all checks, writing the
store). `hepmc_ratio_to_pyhepmc`: wall time of a bare loop of ``pyhepmc`` over a gzipped HepMC file, over that of our
reading it into tables by a child process, first pass over the text included. The two alternate in one process; the
median of the rounds is given.
"""

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from partonic.config.importing import ImportConfig
from partonic.events.importing import import_events, open_source
from partonic.events.schema import ProcessInfo
from partonic.polynomial import morphing_basis
from partonic.processes.tth.settings import TthConfig

TTH = ProcessInfo.of_config(TthConfig(collider_energy=13_000.0))
MASSES = np.array([125.0, 172.5, 172.5])
PARTICLES = 800


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="less than half a minute")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 7
    rng = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lhe = written_lhe(folder / "events.lhe.gz", 4_000 if quick else 20_000, rng)
        hepmc = written_hepmc(folder / "events.hepmc.gz", 200 if quick else 1_000, rng)
        result = {
            **compared(
                "lhe", "pylhe", lambda: bare_pylhe(lhe), lambda: whole_import(lhe, folder), rounds, time.process_time
            ),
            **compared(
                "hepmc", "pyhepmc", lambda: bare_pyhepmc(hepmc), lambda: tables(hepmc), rounds, time.perf_counter
            ),
        }
    print(json.dumps(result))


def compared(
    kind: str,
    peer: str,
    bare: Callable[[], int],
    ours: Callable[[], int],
    rounds: int,
    clock: Callable[[], float],
) -> dict[str, float]:
    """Let the peer and us read the same file in turn; return the ratio of times and our events per second."""
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    events = 0
    for _ in range(rounds):
        for name, work in (("bare", bare), ("ours", ours)):
            begin = clock()
            events = work()
            times[name].append(clock() - begin)
    bare_time, our_time = (statistics.median(times[name]) for name in ("bare", "ours"))
    return {
        f"{kind}_events": events,
        f"{kind}_ratio_to_{peer}": round(bare_time / our_time, 3),
        f"{kind}_events_per_second": round(events / our_time),
    }


def bare_pylhe(path: Path) -> int:
    """Count the events that `pylhe` reads."""
    import pylhe

    return sum(1 for _ in pylhe.LesHouchesEvents.fromfile(str(path)).events)


def whole_import(path: Path, folder: Path) -> int:
    """Import into a store."""
    config = ImportConfig(format="lhe", files=(str(path),))
    return import_events(config, TTH, folder / "events.parquet").num_events


def bare_pyhepmc(path: Path) -> int:
    """Count the events that `pyhepmc` reads, with arrays of their particles."""
    import pyhepmc

    with pyhepmc.open(str(path)) as file:
        return sum(len(event.numpy.particles.e) > 0 for event in file)


def tables(path: Path) -> int:
    """Count the events of our tables of particles."""
    config = ImportConfig(format="hepmc", files=(str(path),), theta_independent=True, partons=())
    return sum(len(table) for table in open_source(config, TTH).tables)


def written_lhe(path: Path, events: int, rng: np.random.Generator) -> Path:
    """Write events of H, t and t̄ that balance, with ten weights each."""
    points = morphing_basis(TTH.monomials)
    names = TTH.monomials.parameters
    texts = [" ".join(f"{key}={value!r}" for key, value in zip(names, map(float, row), strict=True)) for row in points]
    declared = "\n".join(f"<weight id='rwgt_{number}'>{text}</weight>" for number, text in enumerate(texts))
    head = f"""<LesHouchesEvents version="3.0">
<header><initrwgt><weightgroup name="theta">
{declared}
</weightgroup></initrwgt></header>
<init>
2212 2212 6500.0 6500.0 0 0 0 0 -4 1
0.5 0.005 0.5 1
</init>
"""
    at_points = TTH.monomials.evaluate(points)
    with gzip.open(path, "wt", compresslevel=3) as file:
        file.write(head)
        for _ in range(events):
            file.write(lhe_event(rng, at_points))
        file.write("</LesHouchesEvents>\n")
    return path


def lhe_event(rng: np.random.Generator, at_points: np.ndarray) -> str:
    """Return one event as text."""
    momenta = rng.normal(0.0, 80.0, (3, 3))
    momenta[2, :2] = -momenta[0, :2] - momenta[1, :2]
    energy = np.sqrt((momenta**2).sum(axis=1) + MASSES**2)
    plus, minus = (energy.sum() + momenta[:, 2].sum()) / 2, (energy.sum() - momenta[:, 2].sum()) / 2
    weights = at_points @ np.concatenate([[0.5], rng.normal(0.1, 0.05, at_points.shape[1] - 1)])
    lines = [
        "<event>", "5 1 0.5 235.0 0.0078 0.118",
        f"21 -1 0 0 501 502 0.0 0.0 {plus:.9e} {plus:.9e} 0.0 0. 9.",
        f"21 -1 0 0 502 503 0.0 0.0 {-minus:.9e} {minus:.9e} 0.0 0. 9.",
    ]  # fmt: skip
    for pdg, p, e, m in zip((25, 6, -6), momenta, energy, MASSES, strict=True):
        lines.append(f"{pdg} 1 1 2 0 0 {p[0]:.9e} {p[1]:.9e} {p[2]:.9e} {e:.9e} {m} 0. 9.")
    lines += ["<rwgt>", *(f"<wgt id='rwgt_{n}'> {w:.9e} </wgt>" for n, w in enumerate(weights)), "</rwgt>", "</event>"]
    return "\n".join(lines) + "\n"


def written_hepmc(path: Path, events: int, rng: np.random.Generator) -> Path:
    """Write events of two beams and many final particles from one vertex."""
    lines = ["HepMC::Version 3.02.05", "HepMC::Asciiv3-START_EVENT_LISTING"]
    for number in range(events):
        momenta = rng.normal(0.0, 20.0, (PARTICLES, 3))
        energy = np.sqrt((momenta**2).sum(axis=1) + 0.0195)
        lines += [f"E {number} 1 {PARTICLES + 2}", "U GEV MM", "W 1.0", "A 0 GenCrossSection 5.0e-01 1e-3 -1 -1"]
        lines += [f"P {1 + side} 0 2212 0 0 {6500.0 - 13000.0 * side} 6500.0 0.938 4" for side in range(2)]
        lines.append("V -1 0 [1,2]")
        lines += [
            f"P {place + 3} -1 211 {p[0]:.10e} {p[1]:.10e} {p[2]:.10e} {e:.10e} 1.3957e-01 1"
            for place, (p, e) in enumerate(zip(momenta, energy, strict=True))
        ]
    lines.append("HepMC::Asciiv3-END_EVENT_LISTING")
    with gzip.open(path, "wt", compresslevel=3) as file:
        file.write("\n".join([*lines, ""]))
    return path


if __name__ == "__main__":
    main()
