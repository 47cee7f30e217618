r"""Signal against background: ``python benchmarks/discriminant.py --signal S.parquet --background B.parquet ...``.

Prints one JSON line: `auc` and its bootstrap error of the matrix element method, P_sig/(P_sig + k P_bkg), of the
classical method with the same formula, and of boosted trees on high-level features, all on the same events; with
`--output`, the ROC curves are written to a file that the report shows (``<output>/mem/discriminant.json``).

Both stores are simulated and held out; coefficients are of `partonic mem` under each hypothesis:

    python benchmarks/discriminant.py \
        --signal tth.parquet --background ttbb.parquet \
        --signal-coefficients s_of_s.parquet b_of_s.parquet --background-coefficients s_of_b.parquet b_of_b.parquet

The trees are trained on the events of both stores that have no coefficients, and of `--training` stores.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from partonic.classify.discriminant import discriminant
from partonic.classify.plain_classifier import ClassifierSample, PlainClassifier, plain_classifier
from partonic.classify.roc import RocCurve, roc_curve
from partonic.classify.roc_file import Discrimination, write_discrimination
from partonic.cli.progress import TerminalProgress
from partonic.errors import PartonicError
from partonic.events.batch import RECO_COLUMNS, EventBatch
from partonic.events.store import EventStore
from partonic.features.high_level import high_level_features
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.rng import numpy_generator

SEED = 20_261_124
Array = NDArray[np.float64]


def main() -> None:
    """Compare and print one JSON line."""
    options = arguments()
    try:
        print(json.dumps(compared(options)))
    except PartonicError as error:
        raise SystemExit(str(error)) from error


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--signal", type=Path, required=True, help="event store of the signal")
    parser.add_argument("--background", type=Path, required=True, help="event store of the background")
    names = ("SIGNAL", "BACKGROUND")
    for kind in ("signal", "background"):
        text = f"coefficients of the events of the {kind} under both hypotheses"
        parser.add_argument(f"--{kind}-coefficients", type=Path, nargs=2, metavar=names, required=True, help=text)
    parser.add_argument("--training", type=Path, nargs=2, metavar=names, help="further events for the trees")
    parser.add_argument("--classical", type=int, default=200, help="events of each process, classically; 0 for none")
    parser.add_argument("--output", type=Path, help="file of the ROC curves")
    return parser.parse_args()


def compared(options: argparse.Namespace) -> dict[str, object]:
    """Return the areas, and write the curves."""
    samples = [
        Events(options.signal, options.signal_coefficients),
        Events(options.background, options.background_coefficients),
    ]
    k = samples[0].rate / samples[1].rate
    learned = [discriminant(each.under[0], each.under[1], k) for each in samples]
    curves = [curve("matrix element method", samples, learned)]
    classifier = trees(samples, options.training)
    curves.append(classifier.roc)
    if options.classical:
        curves.append(classical(samples, k, options.classical))
    if options.output is not None:
        counts = (len(samples[0].rows), len(samples[1].rows))
        facts = {"k": k, "trees": classifier.to_json()["trees"], "classical_events": options.classical}
        write_discrimination(options.output, Discrimination("tth", "ttbb", counts, tuple(curves), facts))
    return {
        "auc": {each.name: [each.auc.value, each.auc.error] for each in curves},
        "background_efficiency_at_50%": {each.name: each.background_at(0.5) for each in curves},
        "events": [len(each.rows) for each in samples],
        "trees_train_auc": classifier.train_auc,
    }


class Events:
    """Selected events of a store, some of which have coefficients under both hypotheses."""

    def __init__(self, store: Path, coefficients: tuple[Path, Path]) -> None:
        """Read them."""
        opened = EventStore.open(store)
        self.batch: EventBatch = opened.read(["event_id", "weight", "coefficients", *RECO_COLUMNS], selected_only=True)
        self.event_id = self.batch.column("event_id").astype(np.int64)
        self.under: list[EventCoefficients] = [read_coefficients(path)[0] for path in coefficients]
        self.rows = np.flatnonzero(np.isin(self.event_id, self.under[0].event_id))
        self.rate = float(self.batch.coefficients[:, 0].sum())

    @property
    def weights(self) -> Array:
        """Weights at θ = 0 of the events that have coefficients."""
        weights: Array = self.batch.coefficients[self.rows, 0]
        return weights

    def sample(self) -> ClassifierSample:
        """Return all events for the trees."""
        return ClassifierSample(self.event_id, high_level_features(self.batch.reco()), self.batch.coefficients[:, 0])


def curve(name: str, samples: list[Events], numbers: list[Array]) -> RocCurve:
    """Return the curve of a number of events with coefficients; some have it, from the first on."""
    pairs = [(value, each.weights[: len(value)]) for value, each in zip(numbers, samples, strict=True)]
    return roc_curve(name, pairs[0], pairs[1], numpy_generator(SEED, name))


def trees(samples: list[Events], training: tuple[Path, Path] | None) -> PlainClassifier:
    """Train the trees on the events without coefficients, and test them on the others."""
    classes = [each.sample() for each in samples]
    held_out = (samples[0].under[0].event_id, samples[1].under[0].event_id)
    if training is not None:
        classes = [joined(one, store) for one, store in zip(classes, training, strict=True)]
    return plain_classifier(classes[0], classes[1], numpy_generator(SEED, "trees"), held_out=held_out)


def joined(sample: ClassifierSample, store: Path) -> ClassifierSample:
    """Return a sample with the events of another store of the same process, under negative numbers."""
    columns = ["event_id", "weight", "coefficients", *RECO_COLUMNS]
    batch = EventStore.open(store).read(columns, selected_only=True)
    share = len(batch) / (len(batch) + len(sample.event_id))
    return ClassifierSample(
        np.concatenate([sample.event_id, -1 - batch.column("event_id").astype(np.int64)]),
        np.concatenate([sample.features, high_level_features(batch.reco())]),
        np.concatenate([(1 - share) * sample.weights, share * batch.coefficients[:, 0]]),
    )


def classical(samples: list[Events], k: float, number: int) -> RocCurve:
    """Return the curve of the classical method on the first events."""
    from partonic.mem.classical.hypothesis import TopPairHypothesis
    from partonic.mem.classical.integrator import ClassicalIntegrator
    from partonic.mem.classical.transfer import TransferFunctions
    from partonic.processes.definition import build_process
    from partonic.processes.ttbb.settings import TtbbConfig
    from partonic.processes.tth.settings import TthConfig

    transfer = TransferFunctions.pretrained("tth")
    hypotheses = [TopPairHypothesis(build_process(each)) for each in (TthConfig(), TtbbConfig())]
    numbers = []
    for each in samples:
        rows = each.rows[:number]
        reco = each.batch.filter(np.isin(np.arange(len(each.batch)), rows)).reco()
        under = [
            ClassicalIntegrator(one, transfer).integrate(reco, each.event_id[rows], SEED, TerminalProgress())
            for one in hypotheses
        ]
        numbers.append(discriminant(under[0], under[1], k))
    return curve("classical method", samples, numbers)


if __name__ == "__main__":
    main()
