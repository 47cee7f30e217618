"""Draws are numbered and the same every time; members of an ensemble, and parts that each draw has for itself."""

import pytest
import torch

from partonic.errors import ModelError
from partonic.nn.bayesian.posterior import EnsemblePosterior, GaussianPosterior

STATE = {"a.weight": torch.ones(200, 50), "a.bias": torch.zeros(3), "scale": torch.tensor([2.0])}


def test_gaussian_draws() -> None:
    posterior = GaussianPosterior(5, {"a.weight": torch.full((200, 50), 0.1)})
    first, again, other = (posterior.draw(STATE, number) for number in (0, 0, 1))
    assert torch.equal(first["a.weight"], again["a.weight"])
    assert not torch.equal(first["a.weight"], other["a.weight"])
    assert torch.equal(first["a.bias"], STATE["a.bias"])
    assert float(first["a.weight"].std()) == pytest.approx(0.1, rel=0.03)
    assert float(first["a.weight"].mean()) == pytest.approx(1.0, abs=0.005)
    assert posterior.most is None
    wider = posterior.scaled(3.0).draw(STATE, 0)
    torch.testing.assert_close(wider["a.weight"] - 1.0, 3.0 * (first["a.weight"] - 1.0), rtol=1e-3, atol=1e-6)


def test_members_and_their_number() -> None:
    posterior = EnsemblePosterior(5, {"a.bias": torch.arange(6.0).view(2, 3)})
    assert posterior.draw(STATE, 1)["a.bias"].tolist() == [3.0, 4.0, 5.0]
    assert posterior.most == 2
    with pytest.raises(
        ModelError, match=r"with 2 sets of weights was asked for set 3: lower `mem\.weight_samples` to 2"
    ):
        posterior.draw(STATE, 2)
    with pytest.raises(TypeError, match="EnsemblePosterior"):
        posterior.scaled(2.0)


def test_parts_that_each_draw_has_for_itself() -> None:
    posterior = GaussianPosterior(5, {}, numbered={"scale": torch.tensor([[7.0], [8.0]])})
    assert posterior.draw(STATE, 1)["scale"].item() == 8.0
    with pytest.raises(ModelError, match="was asked for set 3"):
        posterior.draw(STATE, 2)
