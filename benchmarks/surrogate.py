"""How fast a learned detector makes events, against shower and detector: ``python benchmarks/surrogate.py --lhe FILE``.

Prints one JSON line: generated events per second of processor time, in one process, of the simulation and of the
surrogate of an analysis file on the same first events of an LHE file, parsing and writing included; both
in turns, with the standard error of their mean. Loading of Pythia and of networks is not counted (a round before).
"""

import argparse
import gzip
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from partonic.config import load_analysis
from partonic.config.simulation import SimulationConfig
from partonic.config.surrogate import SurrogateConfig
from partonic.events.schema import ProcessInfo
from partonic.simulation.pipeline import simulate
from partonic.surrogate.simulate import simulate_by_surrogate


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--analysis", type=Path, default=Path("examples/thq_surrogate.yaml"))
    parser.add_argument("--lhe", type=Path, required=True, help="parton events of the analysis")
    parser.add_argument("--model", default="pretrained", help="of the surrogate")
    parser.add_argument("--events", type=int, default=2_000, help="events of a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    analysis = load_analysis(options.analysis)
    process, changes = ProcessInfo.of_config(analysis.process), {"workers": 1, "surrogate": None}
    config = analysis.simulation.model_copy(update=changes)
    learned = config.model_copy(update={"surrogate": SurrogateConfig(model=options.model)})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lhe = first_events(options.lhe, folder / "events.lhe.gz", options.events)
        rates: dict[str, list[float]] = {"simulation": [], "surrogate": []}
        for number in range(options.rounds + 1):
            for kind, settings in (("simulation", config), ("surrogate", learned)):
                rates[kind].append(rate(kind, settings, process, lhe, folder / f"{kind}_{number}.parquet", number))
    result: dict[str, object] = {"events": options.events, "rounds": options.rounds}
    for kind, found in rates.items():
        warm = np.array(found[1:])
        error = float(warm.std(ddof=1) / np.sqrt(len(warm))) if len(warm) > 1 else None
        result[f"{kind}_per_second"] = [round(float(warm.mean()), 1), None if error is None else round(error, 1)]
    result["ratio"] = round(float(np.mean(rates["surrogate"][1:]) / np.mean(rates["simulation"][1:])), 2)
    print(json.dumps(result))


def first_events(source: Path, target: Path, events: int) -> Path:
    """Write the first events of a compressed LHE file into another one."""
    with gzip.open(source, "rt") as old, gzip.open(target, "wt") as new:
        number = 0
        for line in old:
            new.write(line)
            number += line.strip() == "</event>"
            if number == events:
                break
        new.write("</LesHouchesEvents>\n")
    return target


def rate(kind: str, config: SimulationConfig, process: ProcessInfo, lhe: Path, output: Path, seed: int) -> float:
    """Return generated events per second of processor time."""
    begin = time.process_time()
    make = simulate if kind == "simulation" else simulate_by_surrogate
    result = make(lhe, process, config, seed, output)
    return result.events / (time.process_time() - begin)


if __name__ == "__main__":
    main()
