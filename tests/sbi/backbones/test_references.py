"""What covariant networks are told."""

import pytest
import torch
from tests.sbi.backbones.object_events import NAMED, inputs

from partonic.sbi.backbones.layout import NUMBERS
from partonic.sbi.backbones.references import CovariantView


@pytest.mark.parametrize(
    ("references", "vectors", "scalars"), [((), 1, 9), (("beam",), 2, 10), (("time",), 2, 9), (("beam", "time"), 3, 11)]
)
def test_counts(references, vectors, scalars):
    view = CovariantView(NAMED, references)
    tokens = view(inputs(20))
    assert (view.vectors, view.scalars) == (vectors, scalars + NAMED)
    assert tokens.vectors.shape[2:] == (vectors, 4)
    assert tokens.scalars.shape[-1] == view.scalars


def test_values():
    parts = inputs(20)
    tokens = CovariantView(NAMED, ("beam", "time"))(parts)
    short = parts.compact()
    assert tokens.real[:, 0].all()
    torch.testing.assert_close(tokens.real[:, 1:], short.real)
    torch.testing.assert_close(tokens.vectors[:, 1:, 0], short.momenta)
    torch.testing.assert_close(tokens.vectors[:, 1:, 1, 1:3], short.momenta[..., 1:3])
    assert not tokens.vectors[..., 1, [0, 3]].any()
    assert (tokens.vectors[..., 2, :] == torch.tensor([1.0, 0.0, 0.0, 0.0])).all()
    assert not tokens.momenta[:, 0].any()
    torch.testing.assert_close(tokens.scalars[:, 0, -NAMED:], parts.named)
    assert not tokens.scalars[:, 1:, -NAMED:].any()
    assert (tokens.scalars[:, 0, 0] == 1.0).all()
    assert not tokens.scalars[:, 1:, 0].any()
    torch.testing.assert_close(tokens.scalars[:, 1:, 1:5], short.one_hot_kinds())
    torch.testing.assert_close(tokens.scalars[:, 1:, 9], short.numbers[..., NUMBERS.index("log_pt")])
    torch.testing.assert_close(tokens.scalars[:, 1:, 10], short.numbers[..., NUMBERS.index("eta")])


def test_a_plane_takes_the_place_of_transverse_momenta():
    assert CovariantView(0, ("beam", "time"), plane=True).vectors == 2
