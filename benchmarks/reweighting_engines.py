"""Speed of the engines of `partonic reweight`, beside a bare loop over the same |M|² in the same run.

u ubar → H t t̄ with ten coefficients by both engines, and g g → H t t̄ with six by `pyamplicol` (with --gluons by
`ufoamp`, too, which takes a minute). One worker. The peer is what a script without this package does: the engine's own
|M|² at as many θ points as there are coefficients, momenta in memory, nothing checked and nothing written. Prints one
JSON line: events per second, and the time of the peer as a share of ours.

    python benchmarks/reweighting_engines.py [--quick] [--events N] [--gluons]
"""

import argparse
import json
import runpy
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from partonic.config.reweighting import ReweightConfig
from partonic.events.store import EventStore
from partonic.polynomial import Monomials, morphing_basis
from partonic.reweighting.engine import open_engine
from partonic.reweighting.run import reweight_store
from partonic.reweighting.subprocess import canonical

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))
NAMES = ("delta_kappa_t", "kappa_tilde_t", "c_tG")
OF_UFO = dict(zip(NAMES, ("dkt", "ktt", "ctG"), strict=True))


def models(folder: Path) -> dict[str, Path]:
    """Write the models of the tests."""
    tests = REPOSITORY / "tests"
    ufo = runpy.run_path(str(tests / "reweighting" / "ufo_model.py"))["write_ufo_model"]
    serialized = runpy.run_path(str(tests / "physics" / "amplitudes" / "top_model.py"))["write_top_model"]
    return {"ufoamp": ufo(folder / "TopHiggs_UFO"), "pyamplicol": serialized(folder / "top_model.json")}


def settings(engine: str, model: Path, parameters: tuple[str, ...], cache: Path) -> ReweightConfig:
    """Return the settings of one engine."""
    names = OF_UFO if engine == "ufoamp" else dict.fromkeys(NAMES)
    others = {names[name] or name: 0.0 for name in NAMES if name not in parameters}
    constants = {} if engine == "ufoamp" else {"Gf": 1.16638e-5, "Lambda": 1000.0}
    return ReweightConfig.model_validate(
        {
            "engine": engine, "model": model, "trust_model": True, "workers": 1, "chunk_events": 500, "cache": cache,
            "parameters": {name: names[name] or name for name in parameters}, "values": {**constants, **others},
            "orders": {"QCD": 2, "QED": 1, "NP": 1},
        }
    )  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """Return how long work takes, seconds of CPU."""
    began = time.process_time()
    work()
    return time.process_time() - began


def peer(config: ReweightConfig, store: Path) -> Callable[[], object]:
    """Return the bare loop over the θ points."""
    batch = EventStore.open(store).read(["partons", "x1", "x2", "initial_pdg"])
    initial = np.asarray(batch.column("initial_pdg"))[0].tolist()
    element = open_engine(config).build(canonical((*initial, 25, 6, -6))).element
    partons = batch.partons()
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * batch.metadata.collider_energy / 2
    fractions = torch.stack([partons.x1, partons.x2], dim=1)[..., None]
    incoming = (beams * fractions)[
        :, [initial.index(pdg) for pdg in element.particles[:2]] if initial[0] != initial[1] else [0, 1]
    ]
    place = {25: 0, 6: 1, -6: 2}
    momenta = torch.cat([incoming, partons.momenta[:, [place[pdg] for pdg in element.particles[2:]]]], dim=1)
    followers = [group[0].name for group in config.parameters.values()]
    points = morphing_basis(Monomials.up_to_degree(tuple(config.parameters), 2))

    def loop() -> None:
        for point in points.tolist():
            element.set_parameters(dict(zip(followers, point, strict=True)))
            element.squared(momenta)

    return loop


def measured(name: str, config: ReweightConfig, table: Any, folder: Path) -> dict[str, float]:
    """Return events per second and the share of the peer."""
    from tests.reweighting.conftest import write_store

    store = write_store(folder / f"{name}.parquet", table, parameters=())
    loop = peer(config, store)
    first = write_store(folder / f"{name}_first.parquet", table.slice(0, 10), parameters=())
    reweight_store(first, config, folder / f"{name}_warm.parquet")  # generation and first calls are not counted
    own = timed(lambda: reweight_store(store, config, folder / f"{name}_out.parquet"))
    of_peer = timed(loop)
    return {"events_per_s": round(len(table) / own, 1), "peer_over_own": round(of_peer / own, 2)}


def main() -> None:
    """Run the engines and print the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=2000, help="events for pyamplicol; a tenth of them for ufoamp")
    parser.add_argument("--quick", action="store_true", help="200 events")
    parser.add_argument("--gluons", action="store_true", help="g g → H t t̄ by ufoamp, too")
    options = parser.parse_args()
    events = 200 if options.quick else options.events
    from tests.reweighting.conftest import own_table

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = models(folder)
        cases = [("pyamplicol", (2, -2), NAMES), ("ufoamp", (2, -2), NAMES), ("pyamplicol", (21, 21), NAMES[:2])]
        if options.gluons:
            cases.append(("ufoamp", (21, 21), NAMES[:2]))
        results = {}
        for engine, initial, parameters in cases:
            count = events if engine == "pyamplicol" else max(10, events // 10)
            count = count if initial != (21, 21) or engine == "pyamplicol" else max(10, count // 5)
            label = f"{engine} {'gg' if initial[0] == 21 else 'uubar'}"
            config = settings(engine, model[engine], parameters, folder / "cache")
            results[label] = measured(label.replace(" ", "_"), config, own_table([initial], count), folder)
    print(json.dumps({"events": events, **results}))


if __name__ == "__main__":
    main()
