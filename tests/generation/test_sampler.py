"""The flow: density of the drawn points, normalisation, VEGAS start, files."""

import math
from pathlib import Path

import pytest
import torch

from partonic.errors import GenerationError, OutputError
from partonic.generation.azimuth import AzimuthalSampler
from partonic.generation.protocol import Sampler
from partonic.generation.sampler import FlowArchitecture, FlowSampler, load_sampler, save_sampler
from partonic.generation.vegas import VegasSampler

ARCHITECTURE = FlowArchitecture(dimensions=3, layers=3, units=16, bins=6, harmonics=2)


@pytest.fixture
def flow(torch_rng: torch.Generator) -> FlowSampler:
    """A flow that is far from uniform: its last layers are random."""
    sampler = FlowSampler(ARCHITECTURE)
    for name, parameter in sampler.flow.named_parameters():
        if ".layers.4." in name:
            parameter.data = torch.randn(parameter.shape, generator=torch_rng, dtype=parameter.dtype)
    return sampler


def test_drawn_density_is_the_evaluated_one(flow: FlowSampler, torch_rng: torch.Generator) -> None:
    points, log_density = flow.sample(2000, torch_rng)
    assert float(log_density.std()) > 0.5
    torch.testing.assert_close(flow.log_density(points).detach(), log_density, rtol=1e-8, atol=1e-8)


def test_density_is_normalised(flow: FlowSampler, torch_rng: torch.Generator) -> None:
    uniform = torch.rand((200_000, 3), generator=torch_rng, dtype=torch.float64)
    density = flow.log_density(uniform).detach().exp()
    error = float(density.std()) / math.sqrt(len(density))
    assert abs(float(density.mean()) - 1.0) < 5 * error
    assert error < 0.02


def test_points_come_from_the_generator_only(flow: FlowSampler) -> None:
    before = torch.random.get_rng_state()
    first, _ = flow.sample(50, torch.Generator().manual_seed(3))
    second, _ = flow.sample(50, torch.Generator().manual_seed(3))
    assert torch.equal(first, second)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_building_a_flow_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    FlowSampler(ARCHITECTURE)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_start_from_a_grid_has_its_density(dimensions: int, torch_rng: torch.Generator) -> None:
    grid = VegasSampler.uniform(dimensions, 64)
    for _ in range(4):
        points, log_density = grid.sample(20_000, torch_rng)
        grid = grid.adapted(points, (0.2 + points).prod(dim=1) * (-log_density).exp(), 0.7)
    flow = FlowSampler(FlowArchitecture(dimensions=dimensions, layers=3, units=8, bins=16, harmonics=2))
    flow.start_from(grid)
    points, log_density = flow.sample(20_000, torch_rng)
    weights = (0.2 + points).prod(dim=1) / 0.7**dimensions * (-log_density).exp()
    assert abs(float(weights.mean()) - 1.0) < 5 * float(weights.std()) / math.sqrt(20_000)
    assert float(weights.std()) < 0.12 * dimensions  # uniform points: 0.41 √dimensions


def test_float32_and_float64_flows_agree(flow: FlowSampler, torch_rng: torch.Generator) -> None:
    points = torch.rand((1000, 3), generator=torch_rng, dtype=torch.float64)
    single = flow.to(torch.float32).log_density(points).to(torch.float64)
    torch.testing.assert_close(single, flow.log_density(points), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("azimuths", [(), (1, 3)])
def test_file_gives_back_the_same_points(flow: FlowSampler, azimuths: tuple[int, ...], tmp_path: Path) -> None:
    sampler = AzimuthalSampler(flow, azimuths) if azimuths else flow
    save_sampler(tmp_path / "s.safetensors", sampler)
    loaded = load_sampler(tmp_path / "s.safetensors")
    first = sampler.sample(100, torch.Generator().manual_seed(3))
    second = loaded.sample(100, torch.Generator().manual_seed(3))
    assert isinstance(loaded, Sampler)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_truncated_file_is_refused(flow: FlowSampler, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_sampler(path, flow)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(GenerationError, match=r"cannot read .*s\.safetensors"):
        load_sampler(path)


def test_altered_file_is_refused(flow: FlowSampler, tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_sampler(path, flow)
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(GenerationError, match="was altered since it was written"):
        load_sampler(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenerationError, match=r"none\.safetensors"):
        load_sampler(tmp_path / "none.safetensors")


def test_unwritable_place_is_an_output_error(flow: FlowSampler, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        save_sampler(tmp_path / "file" / "s.safetensors", flow)


def test_grids_are_not_saved_as_flows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only flows can be saved, got VegasSampler"):
        save_sampler(tmp_path / "s", AzimuthalSampler(VegasSampler.uniform(2, 4), (0,)))
