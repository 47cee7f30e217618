import pytest
import torch

from partonic.unfolding.provenance.reliability import jet_reliability


def drawn(generator, events=4000):
    """Probabilities, and origins that follow them."""
    probabilities = torch.distributions.Dirichlet(torch.ones(4)).sample((events, 5))
    origin = torch.multinomial(probabilities.flatten(0, 1), 1, generator=generator).view(events, 5)
    mask = torch.rand(events, 5, generator=generator) < 0.8
    return probabilities[..., 1:], origin, mask


def test_right_probabilities_are_reliable(torch_rng, seed):
    torch.manual_seed(seed)
    probabilities, origin, mask = drawn(torch_rng)
    for bins in jet_reliability(probabilities, origin, mask).values():
        assert sum(part.jets for part in bins) == mask.sum()
        pulls = [(part.observed - part.predicted) / part.error for part in bins if part.jets > 30]
        assert len(pulls) >= 7
        assert max(map(abs, pulls)) < 4
        assert max(part.error for part in bins if part.predicted < 0.6) < 0.02


def test_wrong_probabilities_are_not(torch_rng, seed):
    torch.manual_seed(seed)
    probabilities, origin, mask = drawn(torch_rng)
    for bins in jet_reliability(probabilities**2, origin, mask).values():
        assert max((part.observed - part.predicted) / part.error for part in bins) > 8


def test_padding_and_edges():
    probabilities = torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.5]]])
    bins = jet_reliability(probabilities, torch.tensor([[1, 2, 3]]), torch.tensor([[True, True, False]]))
    assert [(part.predicted, part.observed, part.jets) for part in bins["H"]] == [(0.0, 0.0, 1), (1.0, 1.0, 1)]
    assert [(part.predicted, part.observed, part.jets) for part in bins["t_lep"]] == [(0.0, 0.0, 2)]
    assert bins["H"][1].to_json() == {"predicted": 1.0, "observed": 1.0, "error": 0.0, "jets": 1}
    assert bins["t_had"][1].observed == pytest.approx(1.0)
