"""The sampler that makes the events is the one that unweights better."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.generation.toy_process import ToyProcess

from partonic.config.generation import GenerationConfig
from partonic.generation import prepare
from partonic.generation.prepare import Pilots, prepare_generation
from partonic.generation.vegas import VegasSampler
from partonic.progress import SILENT


def test_grid_makes_the_events_if_it_is_better(
    process: ToyProcess, small_config: GenerationConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = prepare_generation(process, small_config, 5, tmp_path, SILENT)
    assert trained.pilot.efficiency > trained.vegas_pilot.efficiency, "the flow improves on the grid"
    flow, vegas = trained.pilot, trained.vegas_pilot

    def spoilt(*_: object) -> Pilots:
        return Pilots(replace(flow, maximum=100.0 * flow.maximum), vegas)

    (tmp_path / "pilot.json").unlink()
    monkeypatch.setattr(prepare, "_pilots", spoilt)
    found = prepare_generation(process, small_config, 5, tmp_path, SILENT)
    assert found.pilot == found.vegas_pilot == vegas
    assert found.target.maximum == vegas.maximum
    points, _ = found.target.sampler.sample(100, torch.Generator().manual_seed(1))
    expected, _ = _grid(found.target.sampler).sample(100, torch.Generator().manual_seed(1))
    assert points.shape[1] == process.dimensions
    assert expected.shape[0] == 100


def _grid(sampler: object) -> VegasSampler:
    """The grid, below the symmetry about the beam."""
    inner = getattr(sampler, "relative", sampler)
    assert isinstance(inner, VegasSampler)
    return inner
