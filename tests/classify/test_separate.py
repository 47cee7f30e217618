"""Two samples of events on a line: the area under the ROC curve has a closed form."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from tests.inference.line_toy import SIGMA, coefficients, grid, rate, write_store
from tests.inference.test_samples import write
from tests.report.conftest import hard_process, reconstruction, tth_metadata
from tests.report.conftest import write_store as report_store

from partonic.classify.roc_file import read_discrimination
from partonic.classify.separate import SampleFiles, separate
from partonic.cli import main
from partonic.errors import EventFileError, TrainingError
from partonic.events.store import EventStore
from partonic.inference.coefficients.truth import truth_coefficients


def sample(folder, name, x):
    """Write events at x: the signal of the toy is flat, the background ∝ (1 + x)²."""
    write_store(folder / f"{name}.parquet", x)
    signal = coefficients(x)
    background = replace(signal, log_reference=np.log(SIGMA / 2 * (1 + x) ** 2 * 0.75))
    paths = [write(folder / f"{name}_{under}.parquet", each, rate().record())
             for under, each in (("s", signal), ("b", background))]  # fmt: skip
    return SampleFiles(folder / f"{name}.parquet", *paths)


@pytest.fixture
def samples(tmp_path, rng):
    # of (1 + x)²: the distribution function is ((1 + x)/2)³
    return sample(tmp_path, "flat", grid(2000)), sample(tmp_path, "rising", 2 * rng.random(2000) ** (1 / 3) - 1)


def test_area(samples):
    found = separate(*samples, seed=1)
    auc = found.curves[0].auc
    # P(u_s < u_b) of u uniform and of u³ uniform: E[u_b] = 3/4
    assert auc.error < 0.02
    assert abs(auc.value - 0.75) < 4 * auc.error
    assert found.events == (2000, 2000)
    assert found.facts["k"] == pytest.approx(1.0, rel=1e-6)


def test_command(samples, tmp_path):
    signal, background = samples
    output = tmp_path / "discriminant.json"
    result = CliRunner().invoke(main, [str(each) for each in (
        "discriminate", "--signal", signal.store, "--background", background.store,
        "--signal-coefficients", signal.under_signal, signal.under_background,
        "--background-coefficients", background.under_signal, background.under_background, "-o", output,
    )])  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "area" in result.output
    assert read_discrimination(output).curves[0].auc == separate(signal, background, 1).curves[0].auc


def hard_sample(folder, harder):
    """Write 1500 reconstructed events whose jets are `harder` by a factor, and coefficients of the first 300.

    The two densities are the same for all of them: they separate nothing, and the trees do.
    """
    generator = np.random.default_rng(round(10 * harder))
    columns = hard_process(generator, 1500) | reconstruction(generator, 1500)
    columns["jet_pt"] = [None if row is None else [harder * pt for pt in row] for row in columns["jet_pt"]]
    path = report_store(folder / f"hard_{harder}.parquet", columns, tth_metadata(columns))
    truth = truth_coefficients(EventStore.open(path))
    first = replace(truth.select(np.arange(len(truth)) < 300), source="mem")
    paths = [write(folder / f"{harder}_{name}.parquet", first) for name in ("s", "b")]
    return SampleFiles(path, *paths)


def test_command_with_trees(tmp_path):
    """The trees learn from events without coefficients and are tested on those that the densities are tested on."""
    signal, background = hard_sample(tmp_path, 1.4), hard_sample(tmp_path, 1.0)
    output = tmp_path / "discriminant.json"
    arguments = (
        "discriminate", "--signal", signal.store, "--background", background.store,
        "--signal-coefficients", signal.under_signal, signal.under_background,
        "--background-coefficients", background.under_signal, background.under_background, "-o", output, "--trees",
    )  # fmt: skip
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    assert "plain classifier: area" in result.output
    found = read_discrimination(output)
    densities, trees = found.curves
    assert found.events == (300, 300)
    assert abs(densities.auc.value - 0.5) < 0.01  # one number for all events
    # jets of 1.4 times the momentum are told apart, but not always
    assert trees.auc.error < 0.03
    assert 0.75 < trees.auc.value < 1.0
    assert found.facts["train_auc"] > trees.auc.value - 3 * trees.auc.error
    assert found.facts["trees"] > 0


def test_too_few_events_for_trees(samples, tmp_path):
    """All events have coefficients, so that none is left to learn from."""
    signal = hard_sample(tmp_path, 1.4)
    everything = replace(truth_coefficients(EventStore.open(signal.store)), source="mem")
    paths = [write(tmp_path / f"all_{name}.parquet", everything) for name in ("s", "b")]
    whole = SampleFiles(signal.store, *paths)
    with pytest.raises(TrainingError, match="50"):
        separate(whole, whole, 1, trees=True)


def test_other_events_are_refused(samples):
    signal, background = samples
    write(signal.under_background, coefficients(grid(10)), rate().record())
    with pytest.raises(EventFileError, match="has other events than"):
        separate(signal, background, 1)
