"""Extra jets: normalised in number and momentum, and recovered by the fit."""

import math
from dataclasses import replace

import pytest
import torch

from mem.classical.toys import transfer
from partonic.errors import ModelError, TrainingError
from partonic.mem.classical.extra_jets import ExtraJets, fit_extra_jets


def test_density_is_normalised() -> None:
    extra = transfer().extra
    pt = torch.linspace(30.0, 2000.0, 100_001, dtype=torch.float64)
    area = 2.0 * extra.eta_max * 2.0 * math.pi
    assert float(torch.trapezoid(extra.log_density(pt).exp(), pt)) * area == pytest.approx(1.0, abs=1e-5)
    assert sum(math.exp(extra.log_multiplicity(n)) for n in range(60)) == pytest.approx(1.0, abs=0.01)


def test_fit_recovers_the_density(torch_rng: torch.Generator) -> None:
    n = 60_000
    truth = transfer().extra
    hard = (torch.rand(n, generator=torch_rng, dtype=torch.float64) < truth.hard_fraction).long()
    pt = 30.0 - truth.scales[hard] * torch.log(torch.rand(n, generator=torch_rng, dtype=torch.float64))
    flavour = torch.tensor([5, 4, 0])[torch.multinomial(truth.flavours, n, replacement=True, generator=torch_rng)]
    count = torch.multinomial(truth.multiplicity, n, replacement=True, generator=torch_rng)
    fitted = fit_extra_jets(count, pt, flavour, 30.0, 2.4)
    torch.testing.assert_close(fitted.scales, truth.scales, rtol=0.1, atol=0.0)
    torch.testing.assert_close(fitted.flavours, truth.flavours, rtol=0.0, atol=0.01)
    share = truth.multiplicity / truth.multiplicity.sum()
    torch.testing.assert_close(fitted.multiplicity, share, rtol=0.0, atol=5.0 * math.sqrt(0.25 / n))


def test_fit_needs_enough_events() -> None:
    with pytest.raises(TrainingError, match="extra jets needs 200 events"):
        fit_extra_jets(
            torch.zeros(10, dtype=torch.int64), torch.zeros(10), torch.zeros(10, dtype=torch.int64), 30.0, 2.4
        )


def test_numbers_must_make_sense() -> None:
    with pytest.raises(ModelError, match="positive probabilities"):
        replace(transfer().extra, scales=torch.tensor([0.0, 1.0]).double())


def test_json_gives_the_same_density() -> None:
    extra = transfer().extra
    again = ExtraJets.from_json(extra.as_json())
    pt = torch.tensor([40.0, 90.0], dtype=torch.float64)
    torch.testing.assert_close(again.log_density(pt), extra.log_density(pt))
