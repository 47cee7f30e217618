"""Members of an ensemble that are trained on bootstrap samples."""

import numpy as np
import pytest
import torch
from tests.sbi.toy_events import config, known, train

from partonic.nn.training import seeded_weights
from partonic.sbi.build import build_method, facts_of, theta_draws
from partonic.sbi.expansion import Expansion
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.method import event_mean
from partonic.sbi.model import complete


def test_losses_count_each_event_as_often_as_its_member_has_it():
    losses = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    weights = torch.tensor([[0.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    torch.testing.assert_close(event_mean(losses, weights), torch.tensor([7.0 / 3.0, 5.0]))
    torch.testing.assert_close(event_mean(losses, None), torch.tensor([2.0, 5.0]))


METHODS = {
    "derivatives": {},
    "morphing": {"method": "morphing", "morphing": {"points": [{"theta": -1.0}, {"theta": 1.0}]}},
    "joint": {"method": "morphing", "morphing": {"points": [{"theta": -1.0}, {"theta": 1.0}], "joint": True}},
    "alices": {"method": "alices"},
    "sally": {"method": "sally", "reference": [{"theta": 0.5}]},
}


@pytest.mark.parametrize("method", METHODS)
def test_events_that_a_member_does_not_have_are_no_part_of_its_loss(method):
    toy, settings = GaussianToy(1.5), config(**METHODS[method])
    sample = known(toy, 200, (-1.0, 0.0, 1.0), settings)
    points = [complete(point, {}) for point in settings.reference]
    expansion = Expansion.around(toy.monomials, points)
    targets = expansion.targets(sample.events.coefficients)
    targets /= targets[:, 0].mean()
    facts = facts_of(settings, expansion, targets.mean(axis=0), np.ones(1), 1)
    with seeded_weights(1, "test"):
        built = build_method(settings, facts, 1, theta_draws(facts, None, 1))
    if hasattr(built, "standardise"):
        built.standardise(torch.from_numpy(targets))
    inputs, y = torch.from_numpy(sample.events.features).float(), torch.from_numpy(targets)
    weights = torch.zeros(200, 2)
    weights[:100, 0], weights[:, 1] = 2.0, 1.0
    found, first, whole = (
        built.losses(x, one, None, counts)[0].detach()
        for x, one, counts in ((inputs, y, weights), (inputs[:100], y[:100], None), (inputs, y, None))
    )
    torch.testing.assert_close(found, torch.stack([first[0], whole[1]]))
    assert abs(float(first[0] - whole[0])) > 1e-4


def test_members_scatter_more_than_with_common_events(tmp_path):
    toy, x, spread = GaussianToy(1.5), np.linspace(-1.0, 3.0, 40)[:, None], []
    for bootstrap in (False, True):
        network = {"hidden": [16], "members": 4, "bootstrap": bootstrap, "repulsion": 0.0}
        training = {"epochs": 20, "batch_size": 256, "learning_rate": 1e-2}
        model = train(
            toy, 3_000, (-1.0, 0.0, 1.0), tmp_path / str(bootstrap), network=network, training=training
        ).model  # fmt: skip
        spread.append(float(np.median(model.targets(x)[..., 2].std(axis=0))))
    assert spread[1] > 1.15 * spread[0]
