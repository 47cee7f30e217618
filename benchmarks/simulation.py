"""How fast events are simulated, against Pythia alone: ``python benchmarks/simulation.py [--quick]``.

Prints one JSON line. `ratio_to_bare_pythia` is per core: CPU time of a bare ``pythia.next()`` loop over an LHE file,
over that of our whole chain (parsing, shower, detector, jets, selection, writing) over the same file, the two
alternating in one process. `generated_per_second` and `selected_per_second` are wall-clock rates of `simulate` on all
cores, start of the workers included.
"""

import argparse
import gzip
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from partonic.config.simulation import SimulationConfig
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials
from partonic.rng import numpy_generator
from partonic.simulation.chunk import simulate_chunk
from partonic.simulation.lhe_chunk import parse_chunk
from partonic.simulation.lhe_source import event_texts, lhe_facts
from partonic.simulation.pipeline import chunk_job, simulate
from partonic.simulation.pythia_settings import configured_pythia
from partonic.simulation.reconstruct import ParticleLevel, reconstruct
from partonic.simulation.shower import Shower

TTH = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.constant(), 13000.0)
SEED = 1


def main() -> None:
    """Measure and print."""
    arguments = parsed_arguments()
    config = SimulationConfig(multiparton_interactions=arguments.mpi)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lhe = arguments.lhe or write_tth(folder / "tth.lhe.gz", arguments.events)
        result: dict[str, Any] = {"events": arguments.events, "multiparton_interactions": arguments.mpi}
        result |= against_bare_pythia(lhe, config, folder, arguments.rounds)
        result |= all_cores(lhe, config, folder)
    print(json.dumps(result))


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="less than a minute")
    parser.add_argument("--mpi", action="store_true", help="with multiparton interactions")
    parser.add_argument("--lhe", type=Path, help="an LHE file of ttH events at 13 TeV; default: made with Pythia")
    parser.add_argument("--events", type=int, help="number of events made; default 20000, quick 4000")
    parser.add_argument("--rounds", type=int, help="rounds of 1000 events in the comparison; default 10, quick 3")
    arguments = parser.parse_args()
    arguments.events = arguments.events or (4_000 if arguments.quick else 20_000)
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 10)
    return arguments


def against_bare_pythia(lhe: Path, config: SimulationConfig, folder: Path, rounds: int) -> dict[str, Any]:
    """Alternate between the bare loop and our chain over the same events, and compare CPU times."""
    facts = lhe_facts(lhe)
    job = chunk_job(facts, TTH, config, SEED)
    size = config.chunk_events
    texts = list(event_texts(lhe))[: size * rounds]
    bare = bare_pythia(lhe, config)
    simulate_chunk(job, 0, texts[:100], 0, folder / "warm.parquet")
    times = {"bare": 0.0, "chain": 0.0}
    done = 0
    for number in range(len(texts) // size):
        begin = time.process_time()
        for _ in range(size):
            bare.next()
        middle = time.process_time()
        simulate_chunk(job, number, texts[number * size : (number + 1) * size], number * size, folder / "part.parquet")
        times["bare"] += middle - begin
        times["chain"] += time.process_time() - middle
        done += size
    return {
        "ratio_to_bare_pythia": round(times["bare"] / times["chain"], 4),
        "bare_pythia_ms_per_event": round(1e3 * times["bare"] / done, 4),
        "chain_ms_per_event": round(1e3 * times["chain"] / done, 4),
        **time_split(config, texts[:size], lhe),
    }


def bare_pythia(lhe: Path, config: SimulationConfig) -> Any:
    """Return a Pythia with the same settings that reads the file itself; decays as in one of the two mirror images."""
    pythia = configured_pythia(config, SEED)
    settings = ("Beams:frameType = 4", f"Beams:LHEF = {lhe}", "24:onMode = off", "24:onPosIfAny = 11 13",
                "24:onNegIfAny = 1 2 3 4 5")  # fmt: skip
    for setting in settings:
        pythia.readString(setting)
    pythia.init()
    return pythia


def time_split(config: SimulationConfig, texts: list[bytes], lhe: Path) -> dict[str, float]:
    """Return the CPU time of the parts of the chain, in ms per event."""
    shower = Shower(config, lhe_facts(lhe), SEED)
    list(shower.run(parse_chunk(texts[:20], 0), 0))
    begin = time.process_time()
    chunk = parse_chunk(texts, 0)
    parsed = time.process_time()
    blocks = list(shower.run(chunk, 0))
    showered = time.process_time()
    for events in blocks:
        reconstruct(ParticleLevel(events.particles, events.heavy), numpy_generator(SEED, "benchmark"), config)
    ends = [begin, parsed, showered, time.process_time()]
    names = ("parse_ms", "shower_and_record_ms", "reconstruct_ms")
    return {name: round(1e3 * step / len(texts), 4) for name, step in zip(names, np.diff(ends), strict=True)}


def all_cores(lhe: Path, config: SimulationConfig, folder: Path) -> dict[str, Any]:
    """Return wall-clock rates of the whole simulation."""
    begin = time.perf_counter()
    result = simulate(lhe, TTH, config, SEED, folder / "events.parquet")
    seconds = time.perf_counter() - begin
    return {
        "generated_per_second": round(result.events / seconds, 2),
        "selected_per_second": round(result.selected / seconds, 2),
        "cores": len(os.sched_getaffinity(0)),
        "selected_fraction": round(result.selected / result.events, 4),
    }


def write_tth(path: Path, events: int) -> Path:
    """Write undecayed ttH events of Pythia's own gg, qq̄ → Htt̄ as an LHE file (strategy −4)."""
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    settings = ("Print:quiet = on", "Beams:eCM = 13000", "HiggsSM:gg2Httbar = on", "HiggsSM:qqbar2Httbar = on",
                "PartonLevel:all = off", "HadronLevel:all = off", "ProcessLevel:resonanceDecays = off",
                "6:m0 = 172.5", "6:mWidth = 0.0001", "6:doForceWidth = on", "25:mWidth = 0.0001",
                "25:doForceWidth = on", "Random:setSeed = on", "Random:seed = 5")  # fmt: skip
    for setting in settings:
        pythia.readString(setting)
    pythia.init()
    records: list[str] = []
    while len(records) < events:
        if pythia.next():
            info = pythia.infoPython()
            records.append(f"{info.QRen()!r} {info.alphaEM()!r} {info.alphaS()!r}\n" + particle_lines(pythia.process))
    sigma = pythia.infoPython().sigmaGen() * 1e9
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.write('<LesHouchesEvents version="3.0">\n<init>\n2212 2212 6500.0 6500.0 0 0 0 0 -4 1\n')
        file.write(f"{sigma!r} 0.0 1.0 1\n</init>\n")
        for record in records:
            file.write(f"<event>\n5 1 {sigma!r} {record}</event>\n")
        file.write("</LesHouchesEvents>\n")
    return path


def particle_lines(process: Any) -> str:
    """Return the lines of the two incoming partons, H, t and t̄."""
    outgoing = {process.at(index).id(): index for index in range(5, process.size()) if process.at(index).isFinal()}
    lines = []
    for index in (3, 4, outgoing[25], outgoing[6], outgoing[-6]):
        particle = process.at(index)
        incoming = index < 5
        head = f"{particle.id()} -1 0 0" if incoming else f"{particle.id()} 1 1 2"
        mass = 0.0 if incoming else particle.m()
        numbers = [particle.px(), particle.py(), particle.pz(), particle.e(), mass]
        lines.append(f"{head} {particle.col()} {particle.acol()} {' '.join(map(repr, numbers))} 0. 9.\n")
    return "".join(lines)


if __name__ == "__main__":
    main()
