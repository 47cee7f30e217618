r"""Boosted information trees: ``python benchmarks/trees.py [power_law|speed|peers|memory|kernels] [--quick]``.

Without a name all parts run, one process each; each prints one JSON line.

- `power_law`: the toy p(x) ∝ x⁻³ on 20 < x < 420 of arXiv:2107.10859, 100,000 events, 100 trees. The Fisher information
  Σ t F on the events of training, which the program of that paper brings to 284,138 on a random sample. Here events lie
  at the middle of equal shares of probability, so that its largest value Σ t² = 284,149.7 is the expected one;
  `exact_single_splits` is the paper's algorithm as that program runs it (one split by trying all, η = 0.2, 50 events a
  leaf) on the same events.
- `speed`: 10⁶ events, 20 features, 9 derivatives of three parameters, 100 trees of depth 4, with `--threads`.
- `peers`: the same at 2·10⁵ events against xgboost (one tree for all targets) and lightgbm (an ensemble for each).
  With ``--store events.parquet`` on the high-level features of simulated events.
- `memory`: 10⁷ events in memory-mapped files, 10 trees; the largest memory of the process.
- `kernels`: one histogram by numba and by numpy.

CPU seconds are those of all threads together.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.config.trees import TreeSettings
from partonic.events.batch import RECO_COLUMNS
from partonic.events.store import EventStore
from partonic.features.high_level import FEATURES, high_level_features
from partonic.polynomial import Monomials
from partonic.trees.binned import prepare
from partonic.trees.boost import boost
from partonic.trees.data import ArrayData
from partonic.trees.engine import kernels

Array = NDArray[np.float64]
Sample = tuple[Array, Array]
Predictor = Callable[[Array], Array]
QUADRATIC = Monomials.up_to_degree(("a", "b", "c"), 2)
WIDTH = 20
DEPTH, RATE, LEAF = 4, 0.2, 200


def main() -> None:
    """Run one part here, or all parts in processes of their own."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("part", nargs="?", choices=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="few events and trees")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", type=Path, help="event store for `peers`, in place of the toy")
    options = parser.parse_args()
    if options.part is None:
        for part in PARTS:
            subprocess.run([sys.executable, __file__, part, *sys.argv[1:]], check=True)
        return
    first = time.perf_counter()
    warm_up()
    compiling = round(time.perf_counter() - first, 1)
    found = PARTS[options.part](options)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    own = {"part": options.part, "quick": options.quick, "threads": options.threads, "seed": options.seed}
    print(json.dumps(own | found | {"peak_memory_gib": round(memory, 2), "compile_or_load_seconds": compiling}))


def warm_up() -> None:
    """Compile what is used, or load it from the cache."""
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        data = ArrayData(*events(2_000, rng, dtype), names())
        boost(data, QUADRATIC, TreeSettings(trees=1, held_out=0.2), rng)


def names() -> list[str]:
    """Return names of features."""
    return [f"x{number}" for number in range(WIDTH)]


def events(count: int, rng: np.random.Generator, dtype: Any = np.float64) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return features and coefficients of w |1 + Σ θ_i l_i(z)|², with z seen through a resolution of 0.4."""
    z = rng.normal(size=(count, 3))
    features = rng.normal(size=(count, WIDTH))
    features[:, :3] = z + 0.4 * features[:, :3]
    features[:, 3] = z[:, 0] * z[:, 1] + 0.5 * features[:, 3]
    amplitudes = [0.3 * z[:, 0], 0.2 * z[:, 1] * np.sign(features[:, 5]), 0.1 * z[:, 2] ** 2]
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    squares = [(1.0 if i == j else 2.0) * amplitudes[i] * amplitudes[j] for i, j in pairs]
    ratios = np.column_stack([np.ones(count), *(2.0 * amplitude for amplitude in amplitudes), *squares])
    return features.astype(dtype), (rng.exponential(size=count)[:, None] * ratios).astype(dtype)


def timed(function: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Return what a function gives, with seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    value = function()
    seconds = {"seconds": time.perf_counter() - clock, "cpu_seconds": time.process_time() - processor}
    return value, {name: round(number, 2) for name, number in seconds.items()}


def power_law(options: argparse.Namespace) -> dict[str, Any]:
    """Return the information on the toy of the paper."""
    count = 10_000 if options.quick else 100_000
    share = (np.arange(count) + 0.5) / count
    x = (20.0**-2 - share * (20.0**-2 - 420.0**-2)) ** -0.5
    score = 0.5 - np.log(x / 100.0)
    data = ArrayData(x[:, None], np.column_stack([np.ones(count), score]), ["pt"])
    linear = Monomials.up_to_degree(("a",), 1)
    found: dict[str, Any] = {"events": count, "largest": round(float(score @ score), 1)}
    found["exact_single_splits"] = round(exact_single_splits(score), 1)
    for depth, rate in ((1, 0.2), (2, 0.2), (2, 0.5), (3, 0.2)):
        settings = TreeSettings(trees=100, max_depth=depth, learning_rate=rate, min_leaf_events=50)
        trees, seconds = timed(
            lambda settings=settings: boost(data, linear, settings, np.random.default_rng(options.seed))
        )  # type: ignore[misc]
        information = float(score @ trees.predict(x[:, None])[:, 1])
        found[f"depth {depth}, rate {rate:g}"] = {"information": round(information, 1)} | seconds
    return found


def exact_single_splits(score: Array, trees: int = 100, rate: float = 0.2, fewest: int = 50) -> float:
    """Return Σ t F of boosting by single splits, each the best of all, for events in the order of their feature."""
    count = len(score)
    left = np.arange(1, count)
    residual, value = score.copy(), np.zeros(count)
    for _ in range(trees):
        sums = np.cumsum(residual)
        gain = sums[:-1] ** 2 / left + (sums[-1] - sums[:-1]) ** 2 / (count - left)
        gain[: fewest - 1] = gain[count - fewest :] = 0.0
        place = int(np.argmax(gain)) + 1
        step = np.where(
            np.arange(count) < place, sums[place - 1] / place, (sums[-1] - sums[place - 1]) / (count - place)
        )
        value += rate * step
        residual -= rate * step
    return float(score @ value)


def speed(options: argparse.Namespace) -> dict[str, Any]:
    """Return times of a training of full size."""
    count = 20_000 if options.quick else 1_000_000
    rng = np.random.default_rng(options.seed)
    features, coefficients = events(count, rng, np.float32)
    settings = TreeSettings(
        trees=10 if options.quick else 100, max_depth=DEPTH, learning_rate=RATE, held_out=0.1, min_leaf_events=LEAF
    )
    data = ArrayData(features, coefficients, names())
    trees, training = timed(lambda: boost(data, QUADRATIC, settings, rng, threads=options.threads))
    _, predicting = timed(lambda: trees.predict(features, threads=options.threads))
    facts = trees.facts
    return {
        "events": count, "features": WIDTH, "derivatives": len(QUADRATIC) - 1, "trees": len(trees), "depth": DEPTH,
        "training": training, "prediction": predicting,
        "loss": {"train": round(facts.train_loss[-1], 4), "held_out": round(facts.held_out_loss[-1], 4)},
    }  # fmt: skip


def peers(options: argparse.Namespace) -> dict[str, Any]:
    """Return times, losses and information of ours and of two libraries on the same events."""
    monomials, labels, train, test = of_store(options.store) if options.store else of_toy(options)
    trees = 10 if options.quick else 100
    found: dict[str, Any] = {"events": len(train[0]), "features": len(labels), "trees": trees, "depth": DEPTH}
    found |= {"store": str(options.store)} if options.store else {}
    constant = (
        prepare(ArrayData(*train, labels), monomials, TreeSettings(), np.random.default_rng(0)).scaling.deviation == 0
    )
    targets = 1 + np.flatnonzero(~constant)
    ratios = train[0], train[1][:, [0, *targets]]
    programs: dict[str, Callable[[], Predictor]] = {
        "partonic": lambda: ours(train, targets, trees, options, monomials, labels),
        "xgboost": lambda: by_xgboost(*ratios, trees, options),
        "lightgbm": lambda: by_lightgbm(*ratios, trees, options),
    }
    for name, program in programs.items():
        try:
            predict, seconds = timed(program)
        except ImportError as error:
            found[name] = f"skipped: {error}; pip install 'partonic[benchmarks]'"
            continue
        found[name] = {"training": seconds} | quality(predict, targets, monomials, test)
    return found


def quality(predict: Predictor, targets: NDArray[np.int64], monomials: Monomials, test: Sample) -> dict[str, Any]:
    """Return loss and information on events that were not learned from, of the ratios that vary."""
    predicted, seconds = timed(lambda: predict(test[0]))
    w = test[1][:, 0]
    truth = test[1][:, targets] / w[:, None]
    left = np.average((predicted - truth) ** 2, axis=0, weights=w)
    spread = np.average((truth - np.average(truth, axis=0, weights=w)) ** 2, axis=0, weights=w)
    linear = [place for place, target in enumerate(targets) if sum(monomials.exponents[target]) == 1]
    # With the true coefficients as one factor: what was learned by heart does not count.
    products = (test[1][:, targets] * predicted)[:, linear] * len(w) / w.sum()
    return {
        "prediction": seconds, "held_out_loss": round(float(np.mean(left / spread)), 4),
        "information": {
            monomials.names[targets[place]]: [float(f"{value:.6g}"), float(f"{error:.2g}")]
            for place, value, error in zip(linear, products.sum(axis=0), np.linalg.norm(products, axis=0), strict=True)
        },
    }  # fmt: skip


def of_toy(options: argparse.Namespace) -> tuple[Monomials, list[str], Sample, Sample]:
    """Return events to learn from and others."""
    count = 20_000 if options.quick else 200_000
    samples = [events(count, np.random.default_rng(options.seed + number)) for number in range(2)]
    return QUADRATIC, names(), samples[0], samples[1]


def of_store(path: Path) -> tuple[Monomials, list[str], Sample, Sample]:
    """Return high-level features and coefficients of the selected events of a store, every other one to learn from."""
    store = EventStore.open(path)
    batches = list(store.batches(columns=("coefficients", *RECO_COLUMNS), selected_only=True))
    features = np.concatenate([high_level_features(batch.reco()) for batch in batches])
    coefficients = np.concatenate([batch.coefficients for batch in batches])
    vary = [number for number in range(features.shape[1]) if len(np.unique(features[:, number])) > 1]
    labels = [FEATURES[number] for number in vary]
    halves = [(features[start::2, vary], coefficients[start::2]) for start in range(2)]
    return store.metadata.monomials, labels, halves[0], halves[1]


def ours(
    sample: Sample,
    targets: NDArray[np.int64],
    trees: int,
    options: argparse.Namespace,
    monomials: Monomials,
    labels: list[str],
) -> Predictor:
    """Return the prediction of an ensemble of this package."""
    # In xgboost the weight of a leaf counts, here its effective events: with weights that differ these are fewer.
    w = sample[1][:, 0]
    leaf = LEAF * w.sum() ** 2 / (w @ w) / len(w)
    settings = TreeSettings(trees=trees, max_depth=DEPTH, learning_rate=RATE, min_leaf_events=leaf)
    data, rng = ArrayData(*sample, labels), np.random.default_rng(options.seed)
    found = boost(data, monomials, settings, rng, threads=options.threads)
    return lambda values: found.predict(values, threads=options.threads)[:, targets]


def by_xgboost(features: Array, coefficients: Array, trees: int, options: argparse.Namespace) -> Predictor:
    """Return the prediction of xgboost, with one tree for all standardised targets."""
    xgboost = importlib.import_module("xgboost")
    w, targets, mean, deviation = standardised(coefficients)
    parameters = {
        "tree_method": "hist", "multi_strategy": "multi_output_tree", "max_depth": DEPTH, "learning_rate": RATE,
        "max_bin": 255, "lambda": 0.0, "min_child_weight": LEAF, "nthread": options.threads, "base_score": 0.0,
        "seed": options.seed,
    }  # fmt: skip
    model = xgboost.train(parameters, xgboost.QuantileDMatrix(features, targets, weight=w, max_bin=255), trees)
    return lambda values: mean + deviation * model.predict(xgboost.DMatrix(values))


def by_lightgbm(features: Array, coefficients: Array, trees: int, options: argparse.Namespace) -> Predictor:
    """Return the prediction of lightgbm, with an ensemble for each target."""
    lightgbm = importlib.import_module("lightgbm")
    w, targets, mean, deviation = standardised(coefficients)
    parameters = {
        "objective": "regression", "max_depth": DEPTH, "num_leaves": 2**DEPTH, "learning_rate": RATE, "max_bin": 255,
        "min_data_in_leaf": LEAF, "num_threads": options.threads, "verbosity": -1, "seed": options.seed,
    }  # fmt: skip
    models = [lightgbm.train(parameters, lightgbm.Dataset(features, target, weight=w), trees) for target in targets.T]
    return lambda values: mean + deviation * np.column_stack([model.predict(values) for model in models])


def standardised(coefficients: Array) -> tuple[Array, Array, Array, Array]:
    """Return weights of mean 1, ratios in units of their deviation from the mean, mean and deviation."""
    w = coefficients[:, 0] / coefficients[:, 0].mean()
    ratios = coefficients[:, 1:] / coefficients[:, :1]
    mean = np.average(ratios, axis=0, weights=w)
    deviation = np.sqrt(np.average((ratios - mean) ** 2, axis=0, weights=w))
    return w, (ratios - mean) / deviation, mean, deviation


def memory(options: argparse.Namespace) -> dict[str, Any]:
    """Return times of a training on files; the memory is that of the process."""
    count, piece = (100_000, 50_000) if options.quick else (10_000_000, 500_000)
    rng = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("features.npy", "coefficients.npy")]
        shapes = (count, WIDTH), (count, len(QUADRATIC))
        maps = [
            np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
            for path, shape in zip(paths, shapes, strict=True)
        ]
        for start in range(0, count, piece):
            for target, values in zip(maps, events(piece, rng, np.float32), strict=True):
                target[start : start + piece] = values
                target.flush()
        del maps, target, values
        data = ArrayData(*(np.load(path, mmap_mode="r") for path in paths), names())
        settings = TreeSettings(trees=10, max_depth=DEPTH, learning_rate=RATE, held_out=0.1)
        trees, seconds = timed(
            lambda: boost(data, QUADRATIC, settings, rng, threads=options.threads, folder=Path(folder) / "trees")
        )
    return {"events": count, "features": WIDTH, "trees": len(trees), "training": seconds}


def histograms(options: argparse.Namespace) -> dict[str, Any]:
    """Return the time of the histogram of all events, by numba and by numpy."""
    count = 20_000 if options.quick else 500_000
    rng = np.random.default_rng(options.seed)
    binned = prepare(ArrayData(*events(count, rng), names()), QUADRATIC, TreeSettings(), rng)
    codes, statistics = binned.codes, binned.statistics
    channels = statistics.shape[1]
    histogram = np.zeros((WIDTH, 256, 1 + channels))
    columns = np.arange(WIDTH)
    _, compiled = timed(lambda: kernels().fill_histogram(codes, statistics, binned.train, columns, histogram))
    values = np.ascontiguousarray(statistics.T.astype(np.float64))

    def by_numpy() -> Array:
        return np.array(
            [[np.bincount(codes[:, f], weights=row, minlength=256) for row in values] for f in range(WIDTH)]
        )

    found, interpreted = timed(by_numpy)
    difference = float(np.abs(found.transpose(0, 2, 1) - histogram[:, :, 1:]).max())
    return {"events": count, "numba": compiled, "numpy": interpreted, "largest_difference": difference}


PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "power_law": power_law, "speed": speed, "peers": peers, "memory": memory, "kernels": histograms,
}  # fmt: skip


if __name__ == "__main__":
    main()
