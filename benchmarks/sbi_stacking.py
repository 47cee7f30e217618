r"""Matrix element method and a network together: ``python benchmarks/sbi_stacking.py --store S --mem M --sbi FOLDER``.

Both know some of the same. Each true ratio c_a/c_0 is regressed linearly on the ratio of the matrix element method, on
that of a learned estimator, and on both, with the weights at θ = 0, on one half of the events for the other; R² of
each, one JSON line. The events are those that the estimator neither trained on nor validated with, and that both have
coefficients of.

S: the event store; M: coefficients from `partonic mem --store S`; FOLDER: output of an analysis that was trained on S
(`examples/tth_sbi_training.yaml`).
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_weights import weights_of
from partonic.sbi.model import SbiModel
from partonic.sbi.split import parts_of

Array = NDArray[np.float64]


def main() -> None:
    """Compare and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--mem", type=Path, required=True)
    parser.add_argument("--sbi", type=Path, required=True)
    options = parser.parse_args()
    record = SbiModel.load(options.sbi / "train_sbi").record
    mem = read_coefficients(options.mem)[0]
    learned = read_coefficients(next((options.sbi / "sbi" / "all").glob("*.parquet")))[0]
    learned = learned.select(learned.usable())
    parts = parts_of(mem.event_id, record.config.parts(), record.seed)
    unseen = (parts.of("calibration") | parts.of("fit")) & mem.usable() & np.isin(mem.event_id, learned.event_id)
    mem = mem.select(unseen)
    weights = weights_of(EventStore.open(options.store), mem.event_id)
    good = weights[:, 0] > 0
    rows = np.searchsorted(learned.event_id, mem.event_id[good])
    sources = {"mem": [mem.ratios[good]], "sbi": [learned.ratios[rows]]}
    sources["both"] = [*sources["mem"], *sources["sbi"]]
    found = {
        name: {
            source: r_squared(weights[good], [each[:, a] for each in ratios], a) for source, ratios in sources.items()
        }
        for a, name in enumerate(mem.monomials.names)
        if np.ptp(weights[good, a] / weights[good, 0]) > 1e-9
    }
    print(json.dumps({"events": int(good.sum()), "r_squared": found}))


def r_squared(weights: Array, ratios: list[Array], column: int) -> float:
    """Return R² of a true ratio from a linear regression on estimated ones, each half predicted from the other."""
    w, truth = weights[:, 0], weights[:, column] / weights[:, 0]
    design, root = np.column_stack([np.ones_like(w), *ratios]), np.sqrt(w)
    predicted, half = np.zeros_like(truth), np.arange(len(w)) % 2 == 0
    for rows in (half, ~half):
        fit = np.linalg.lstsq(design[~rows] * root[~rows, None], truth[~rows] * root[~rows], rcond=None)[0]
        predicted[rows] = design[rows] @ fit
    spread = w @ (truth - np.average(truth, weights=w)) ** 2
    return round(float(1.0 - w @ (truth - predicted) ** 2 / spread), 3)


if __name__ == "__main__":
    main()
