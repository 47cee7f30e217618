"""Posteriors come back from their files as they were; damaged ones are refused."""

from pathlib import Path

import pytest
import torch

from partonic.errors import ModelError
from partonic.nn.bayesian.posterior import EnsemblePosterior, GaussianPosterior, LaplacePosterior, WeightPosterior
from partonic.nn.bayesian.posterior_file import load_posterior, save_posterior
from partonic.trained.model_files import POSTERIOR

STATE = {"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2), "calibration": torch.zeros(2)}
KINDS = [
    GaussianPosterior(3, {"a.weight": torch.full((2, 3), 0.1)}, numbered={"calibration": torch.ones(4, 2)}),
    LaplacePosterior(4, {"a": torch.eye(2)}, {"a": torch.eye(4)}, {"a": torch.full((2, 4), 0.2)}),
    EnsemblePosterior(5, {"a.weight": torch.zeros(3, 2, 3)}),
]


@pytest.mark.parametrize("posterior", KINDS, ids=lambda each: each.kind)
def test_draws_are_those_of_before(tmp_path: Path, posterior: WeightPosterior) -> None:
    record = save_posterior(tmp_path, posterior)
    assert record is not None
    assert record["kind"] == posterior.kind
    again = load_posterior(tmp_path, record)
    before, after = posterior.draw(STATE, 2), again.draw(STATE, 2)
    assert before.keys() == after.keys()
    for name, values in before.items():
        assert torch.equal(values, after[name]), name
    assert not torch.equal(before["a.weight"], STATE["a.weight"])


def test_the_same_posterior_has_the_same_file(tmp_path: Path) -> None:
    """The fingerprint of a model has its checksum: a training that is resumed or repeated must not change it."""
    records = {save_posterior(tmp_path, KINDS[0])["sha256"] for _ in range(20)}  # type: ignore[index]
    assert len(records) == 1


def test_what_is_no_posterior(tmp_path: Path) -> None:
    record = save_posterior(tmp_path, KINDS[0])
    assert record is not None
    save_posterior(tmp_path, KINDS[1])
    with pytest.raises(ModelError, match="is damaged, or of another training: its checksum differs"):
        load_posterior(tmp_path, record)
    (tmp_path / POSTERIOR).write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="is damaged"):
        load_posterior(tmp_path, record)
    assert save_posterior(tmp_path, None) is None
    assert not (tmp_path / POSTERIOR).exists()
    with pytest.raises(ModelError, match="cannot read the posterior of the weights"):
        load_posterior(tmp_path, record)
