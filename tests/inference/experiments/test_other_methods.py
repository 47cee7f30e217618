from dataclasses import replace

import numpy as np
import pytest
from tests.inference.line_toy import coefficients, rate, without
from tests.inference.test_samples import CONFIG, files, write, x  # noqa: F401 - fixtures

from partonic.errors import InferenceError
from partonic.inference.coefficients.members_file import write_members
from partonic.inference.experiments.compared import PARTON_TRUTH as TRUTH
from partonic.inference.experiments.other_methods import compared
from partonic.inference.samples import load
from partonic.inference.sources import EstimatorFiles


def test_binned_and_unbinned_stand_beside_each_other(files) -> None:  # noqa: F811
    config = CONFIG.model_copy(update={"compare": True})
    methods = compared(load(files, config, seed=3), config)["comparison"]["methods"]
    assert {f"{TRUTH}, unbinned", f"{TRUTH}, binned R1 and R2", "rate only"} <= set(methods)
    lengths = {name: row["a"]["length"] for name, row in methods.items() if row.get("a")}
    assert lengths[f"{TRUTH}, unbinned"] <= 1.01 * min(lengths.values())


def test_nothing_to_compare(files) -> None:  # noqa: F811
    assert compared(load(files, CONFIG, seed=3), CONFIG) == {}
    config = CONFIG.model_copy(update={"compare": True, "data": "events"})
    assert compared(load(replace(files, store=None), config, seed=3), config) == {}


def noisy(events, seed, source):
    """Return coefficients by another estimator, which knows less."""
    ratios = events.ratios.copy()
    ratios[:, 1:] += 0.1 * np.random.default_rng(seed).normal(size=ratios[:, 1:].shape)
    return replace(events, ratios=ratios, source=source)


def test_estimators_are_compared_on_the_events_that_all_of_them_know(files, x) -> None:  # noqa: F811
    folder = files.signal.parent
    other = noisy(coefficients(x), 5, "classical")
    few = without(noisy(coefficients(x), 6, "sbi"), np.arange(200) < 60)
    path, short = (write(folder / f"{each.source}.parquet", each, rate().record()) for each in (other, few))
    members = np.stack([noisy(coefficients(x), seed, "sbi").ratios for seed in (7, 8, 9)])
    write_members(folder / "members.safetensors", few.event_id, members)
    write(folder / "empty.parquet", replace(other.select(np.arange(200) < 50), source="sbi.small"), rate().record())
    compared_files = {
        "mem": EstimatorFiles(files.signal),
        "classical": EstimatorFiles(path),
        "sbi": EstimatorFiles(short, members=folder / "members.safetensors"),
        "sbi.small": EstimatorFiles(folder / "empty.parquet"),
    }
    config = CONFIG.model_copy(update={"compare": True})
    found = compared(load(files, config, seed=3), config, compared_files)["comparison"]
    assert found["simulated_events"] == 140, "three have none by the first, 60 none by the third"
    assert "only 0 events" in found["left_out"]["sbi.small"]
    assert {"mem, unbinned", "classical, unbinned", "sbi, unbinned"} <= set(found["methods"])
    assert "sbi.small, unbinned" not in found["methods"]
    curves = found["curves"]["a"]["methods"]
    assert [curves[name]["ensemble"] is None for name in ("mem", "classical", "sbi")] == [True, True, False]
    assert set(found["information"]["claimed"]) == {"mem", "classical", "sbi"}
    truth, kept = (np.array(found["information"]["methods"][name]) for name in (TRUTH, "classical"))
    assert np.linalg.eigvalsh(truth - kept).min() > -1e-9 * np.trace(truth)
    assert found["explained"][TRUTH]["a"] == pytest.approx(1.0)
    assert found["explained"]["classical"]["a"] < 1.0


def test_a_file_of_another_estimator_is_refused(files, x) -> None:  # noqa: F811
    path = write(files.signal.parent / "other.parquet", noisy(coefficients(x), 5, "sbi.trees"), rate().record())
    config = CONFIG.model_copy(update={"compare": True})
    with pytest.raises(InferenceError, match=r"says that 'sbi\.trees' made it"):
        compared(load(files, config, seed=3), config, {"sbi": EstimatorFiles(path)})
