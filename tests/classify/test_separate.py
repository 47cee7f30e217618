"""Two samples of events on a line: the area under the ROC curve has a closed form."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from tests.inference.line_toy import SIGMA, coefficients, grid, rate, write_store
from tests.inference.test_samples import write

from partonic.classify.roc_file import read_discrimination
from partonic.classify.separate import SampleFiles, separate
from partonic.cli import main
from partonic.errors import EventFileError


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


def test_other_events_are_refused(samples):
    signal, background = samples
    write(signal.under_background, coefficients(grid(10)), rate().record())
    with pytest.raises(EventFileError, match="has other events than"):
        separate(signal, background, 1)
