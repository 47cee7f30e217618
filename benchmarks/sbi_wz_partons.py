r"""WZ at parton level, learned against true log r: ``python benchmarks/sbi_wz_partons.py [--events N] [--folder F]``.

Section 4.1 of arXiv:2410.07315: derivatives at the Standard Model learned from ŝ, t̂ and the charge of the W with
300,000 events and 100,000 for validation; log r averaged over 200,000 other events of the Standard Model and over
200,000 of (c_ΦWB, c_WWW, c_Φq3) = (1, 0.1, 0.1), as a function of one coefficient and of two. The variables are all
that the matrix element depends on, so the true log r of an event is that of its partons. `--events` is the number of
test events, and the others are in proportion; `--mixture` learns at a mixture of four points in place of one.

Both ratios are normalised with their own means over the events compared, reweighted to the Standard Model: the mean of
a square over 300,000 events of the Standard Model is uncertain by a tenth, as a few events have half of it, and that
would be most of a difference between two samples.

Each line of JSON has for a sample and a set of coefficients: the root mean square over a grid of θ of the difference of
the two averages, that of the true average itself, their ratio, and the scatter of the members.
"""

import argparse
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.analysis import AnalysisConfig
from partonic.config.sbi import SbiConfig
from partonic.events.store import EventStore
from partonic.features.named import NamedFeatures
from partonic.inference.coefficients.event_weights import weights_of
from partonic.sbi.expansion import Expansion
from partonic.sbi.model import SbiModel
from partonic.sbi.train import train_sbi
from partonic.workflow.places import event_store
from partonic.workflow.runner import run_analysis

Array = NDArray[np.float64]
REACH = {"c_PhiWB": 1.0, "c_WWW": 0.1, "c_Phiq3": 0.1}
BSM = dict(REACH)
SPREAD: list[dict[str, float]] = [{}, {"c_PhiWB": 2.0}, {"c_WWW": 0.5}, {"c_Phiq3": 0.3}]
FEATURES = ["log(s_hat)", "s_hat", "t_hat", "parton_pdg[0]"]


def main() -> None:
    """Generate, train, and print a line for each sample and set of coefficients."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--events", type=int, default=200_000, help="of each test sample")
    parser.add_argument("--folder", type=Path, help="keep the events and networks here")
    parser.add_argument("--mixture", action="store_true", help="learn at a mixture of four points")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the events, few epochs")
    options = parser.parse_args()
    if options.quick:
        options.events, options.epochs = options.events // 100, 3
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        spread = SPREAD if options.mixture else []
        training = made(folder / ("mixture" if spread else "training"), 2 * options.events, 1, spread=spread)
        config = SbiConfig.model_validate({
            "features": FEATURES, "reference": spread or [{}], "shares": {"fit": 0.0, "calibration": 0.0},
            "network": {"members": 4}, "training": {"validation_fraction": 0.25, "epochs": options.epochs},
        })  # fmt: skip
        began = time.perf_counter()
        networks = folder / f"networks-{'mixture' if spread else 'point'}-{options.epochs}"
        model = train_sbi([training], config, 1, networks).model
        seconds = time.perf_counter() - began
        for name, theta in (("Standard Model", {}), ("BSM", BSM)):
            store = made(folder / name.replace(" ", "_"), options.events, 2, theta=theta)
            compare(name, store, model, seconds)


def analysis(output: Path, events: int, seed: int, **generation: Any) -> dict[str, Any]:
    """Return an analysis of W and Z on their mass shells."""
    return {
        "name": output.name, "output": str(output), "seed": seed,
        "process": {"name": "wz", "collider_energy": 13_600.0, "decays": "none"},
        "generation": {"events": events, "sampler": "full", "overweight_limit": 0.01, **generation},
        "simulation": {"level": "partons"},
    }  # fmt: skip


def made(
    output: Path,
    events: int,
    seed: int,
    theta: dict[str, float] | None = None,
    spread: list[dict[str, float]] | None = None,
) -> Path:
    """Return the store of events, generated if they are not there yet."""
    settings = {"theta": theta or {}, "theta_mixture": spread or []}
    config = AnalysisConfig.model_validate(analysis(output, events, seed, **settings))
    run_analysis(config, steps=("generate", "simulate"))
    return event_store(config)


def compare(sample: str, store: Path, model: SbiModel, seconds: float) -> None:
    """Print the comparison of the averages of log r on a store."""
    events = EventStore.open(store)
    features = NamedFeatures(model.record.features, events.metadata)
    batch = events.read((*features.columns, "event_id", "weight"))
    monomials = model.record.monomials
    weights = weights_of(events, batch.column("event_id").astype(np.int64))
    expansion = Expansion.around(monomials, model.record.reference)
    learned = expansion.ratios(model.targets(features.of(batch)))
    learned /= learned[..., :1]
    reference = weights[:, 0] / weights[:, 0].sum()
    sigma, own = weights.sum(axis=0) / weights[:, 0].sum(), reference @ learned.mean(axis=0)
    names = monomials.parameters
    share = batch.column("weight") / batch.column("weight").sum()
    for chosen in (*((name,) for name in names), *itertools.combinations(names, 2)):
        axes = [np.linspace(-REACH[name], REACH[name], 21 if len(chosen) == 1 else 11) for name in chosen]
        grid = [dict(zip(chosen, point, strict=True)) for point in itertools.product(*axes)]
        values = np.stack([monomials.evaluate(monomials.point(point)) for point in grid], axis=1)
        true = share @ np.log(weights @ values / weights[:, :1] / (sigma @ values))
        members = np.stack([share @ _log(each @ values / (own @ values)) for each in learned])
        mean = share @ _log(learned.mean(axis=0) @ values / (own @ values))
        error, size = (float(np.sqrt(np.mean(np.square(each)))) for each in (mean - true, true))
        row = {
            "difference": error, "log_ratio": size, "relative": error / size,
            "scatter_of_members": float(members.std(axis=0, ddof=1).mean()), "training_seconds": seconds,
        }  # fmt: skip
        rounded = {key: float(f"{value:.3g}") for key, value in row.items()}
        print(json.dumps({"sample": sample, "coefficients": list(chosen), "events": len(share), **rounded}), flush=True)


def _log(ratios: Array) -> Array:
    values: Array = np.log(np.maximum(ratios, 1e-3))
    return values


if __name__ == "__main__":
    main()
