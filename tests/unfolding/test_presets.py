"""The sizes that are ready: those published for CMS, and networks of every size that train and sample."""

import pytest
import torch

from features.test_inputs import random_events
from partonic.config.unfolding import UnfoldingConfig
from partonic.features.inputs import event_tokens
from partonic.processes.tth.settings import TthConfig
from partonic.unfolding.model import NetworkSizes, UnfoldingModel
from partonic.unfolding.phases import JointPhase
from partonic.unfolding.view import PartonView

PRESETS = ("cms", "small", "tiny")


def model_of(preset: str, view: str = "with_isr") -> UnfoldingModel:
    config = UnfoldingConfig.model_validate({"preset": preset})
    sizes = NetworkSizes(config.provenance, config.conditioner, config.flow)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return UnfoldingModel(sizes, PartonView.of(view, TthConfig()))  # type: ignore[arg-type]


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_cms_has_the_published_sizes() -> None:
    """CMS-DP-2023-85: 1.8M weights of the conditioner, 5.3M of the flow, which is conditioned on 16 numbers."""
    model = model_of("cms")
    assert count(model.conditioner) == pytest.approx(1.8e6, rel=0.05)
    assert count(model.flow) == pytest.approx(5.3e6, rel=0.01)
    assert model.flow.flow.context == 16


def test_what_is_written_wins_over_the_preset() -> None:
    config = UnfoldingConfig.model_validate({"preset": "cms", "flow": {"transforms": 2}, "training": {"patience": 3}})
    assert (config.flow.transforms, config.flow.bins) == (2, 40)
    assert (config.training.patience, config.training.batch_size) == (3, 3072)


def test_small_files_fit_into_a_package() -> None:
    """Pretrained weights are committed: float32 models of both views stay well below 10 MB."""
    for view in ("hard", "with_isr"):
        assert 4 * count(model_of("small", view)) < 8e6


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_trains_and_samples(preset: str, torch_rng: torch.Generator) -> None:
    """One step with all losses, sampling through the phase space included, and samples of a few events."""
    model = model_of(preset)
    config = UnfoldingConfig.model_validate({"preset": preset})
    tokens = event_tokens(random_events(torch_rng, 8))
    numbers = torch.rand((8, model.view.dimensions), generator=torch_rng, dtype=torch.float64) * 0.9 + 0.05
    momenta = model.view.partons(numbers)[0].momenta
    batch = {
        **{name: getattr(tokens, name) for name in ("jets", "jet_mask", "lepton", "met", "boost")},
        "azimuth": tokens.frame.azimuth,
        "mirrored": tokens.frame.mirrored,
        "provenance": model.jet_probabilities(tokens),
        "with_isr_numbers": numbers,
        "with_isr_particles": torch.rand((8, 3, 3), generator=torch_rng) + 50.0,
        "with_isr_p_z": momenta[..., 3].sum(dim=1).float(),
        "with_isr_radiation": momenta[:, 3, 1:].float(),
    }
    targets = config.training.joint_targets
    phase = JointPhase(model, targets, config.training.regression_weight)
    main, values = phase.training_losses(batch, torch_rng)
    (main + sum(values.values())).backward()
    assert set(values) == {name for name, target in targets.model_dump().items() if target is not None}
    for name, parameter in model.conditioner.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
    conditions = model.conditions(tokens)
    drawn, log_density = model.flow.sample(conditions.numbers.detach(), conditions.latent.detach(), 4, torch_rng)
    assert drawn.shape == (8, 4, 10)
    assert bool(log_density.isfinite().all())
