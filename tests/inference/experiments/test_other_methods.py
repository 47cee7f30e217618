from dataclasses import replace

from tests.inference.test_samples import CONFIG, files, x  # noqa: F401 - fixtures

from partonic.inference.experiments.comparison import PARTON_TRUTH as TRUTH
from partonic.inference.experiments.other_methods import compared
from partonic.inference.samples import load


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
