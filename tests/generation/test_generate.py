"""Generation end to end: the cross section, the events, resumption, and what goes wrong clearly."""

import json
import logging
import os
import resource
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.generation.kill_worker import CONFIG as QUICK
from tests.generation.toy_process import COEFFICIENTS, ToyProcess, peak_cumulative

from partonic.config.generation import GenerationConfig
from partonic.errors import GenerationError, NonFiniteError, OutputError, ParameterError
from partonic.generation.generate import EVENTS_FILE, SUMMARY_FILE, generate_events
from partonic.generation.lhe import read_content, read_lhe
from partonic.generation.result import GenerationResult
from partonic.physics.process import PartonEvents

AT_HALF = COEFFICIENTS[0] + 0.5 * COEFFICIENTS[1] + 0.25 * COEFFICIENTS[2]


def test_cross_section_is_the_closed_form(generated: GenerationResult) -> None:
    found = generated.cross_section
    assert abs(found.value - AT_HALF) < 5 * found.error
    assert found.error < 0.005 * AT_HALF
    for one, exact in zip(generated.coefficients.values(), COEFFICIENTS, strict=True):
        assert abs(one.value - exact) < 5 * one.error
        assert one.error < 0.01 * abs(exact)


def test_coefficients_sum_to_the_cross_section(generated: GenerationResult) -> None:
    values = [one.value for one in generated.coefficients.values()]
    assert np.dot(values, [1.0, 0.5, 0.25]) == pytest.approx(generated.cross_section.value, rel=1e-12)
    channels = [one["value"] for one in generated.summary["channels"].values()]
    assert sum(channels) == pytest.approx(generated.cross_section.value, rel=1e-12)


def test_error_of_the_sum_uses_the_covariance(generated: GenerationResult) -> None:
    covariance = np.array(generated.summary["coefficient_covariance"])
    monomials = np.array([1.0, 0.5, 0.25])
    assert np.sqrt(monomials @ covariance @ monomials) == pytest.approx(generated.cross_section.error, rel=1e-6)


def test_events_are_as_many_as_asked_for_and_average_to_the_cross_section(generated: GenerationResult) -> None:
    batches = list(read_lhe(generated.events_file))
    coefficients = torch.cat([batch.coefficients for batch in batches])
    weights = coefficients @ torch.tensor([1.0, 0.5, 0.25], dtype=torch.float64)
    assert len(weights) == 20_000
    assert float(weights.mean()) == pytest.approx(generated.cross_section.value, rel=1e-10)
    assert float((weights > weights.min() * (1 + 1e-9)).double().mean()) < 0.005
    errors = coefficients.std(dim=0) / len(weights) ** 0.5
    assert bool(((coefficients.mean(dim=0) - torch.tensor(COEFFICIENTS)).abs() < 5 * errors).all())


def test_events_follow_the_integrand(generated: GenerationResult, process: ToyProcess) -> None:
    """The peak in u2 and the azimuthal ridge, against their closed forms (Kolmogorov–Smirnov)."""
    batches = list(read_lhe(generated.events_file))
    partons = PartonEvents(
        *(torch.cat([getattr(batch, name) for batch in batches]) for name in ("momenta", "x1", "x2"))
    )
    numbers, _ = process.to_unit_cube(partons)
    difference = torch.remainder(numbers[:, 6] - numbers[:, 4], 1.0)
    ridge = difference + 0.6 * torch.sin(2 * torch.pi * difference) / (2 * torch.pi)
    for cumulative in (peak_cumulative(numbers[:, 2]), ridge, numbers[:, 4]):
        ordered = cumulative.sort().values
        uniform = torch.arange(1, len(ordered) + 1, dtype=torch.float64) / len(ordered)
        assert float((ordered - uniform).abs().max()) * len(ordered) ** 0.5 < 1.95


def test_flow_unweights_better_than_its_start(generated: GenerationResult) -> None:
    assert generated.unweighting_efficiency > generated.vegas_unweighting_efficiency
    assert generated.overweight_fraction < 3e-3  # the limit is 1e-3, with a pilot of 20,000 points
    assert "unweighting efficiency" in str(generated)


def test_summary_is_the_file(generated: GenerationResult) -> None:
    summary = json.loads(generated.summary_file.read_text())
    assert summary == generated.summary
    assert summary["seed"] == 5
    assert summary["config"]["events"] == 20_000
    assert {"torch", "madnis", "python"} <= set(summary["versions"])
    assert read_content(generated.events_file).theta == {"k": 0.5}


def test_finished_generation_is_returned_as_it_is(tmp_path: Path, process: ToyProcess) -> None:
    first = generate_events(process, QUICK, 3, tmp_path)
    stamp = first.events_file.stat().st_mtime_ns
    assert generate_events(process, QUICK, 3, tmp_path) == first
    assert first.events_file.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    "change",
    [{"seed": 4}, {"theta": {"k": 0.2}}, {"process": ToyProcess(scale_of_gg=1.1)}, {"overweight_policy": "repeat"}],
)
def test_results_of_another_configuration_are_replaced(
    change: dict[str, object], tmp_path: Path, process: ToyProcess
) -> None:
    generate_events(process, QUICK, 3, tmp_path / "used")
    settings: dict[str, object] = {"process": process, "seed": 3, **change}
    chosen, seed = settings.pop("process"), settings.pop("seed")
    config = QUICK.model_copy(update=settings)
    generate_events(chosen, config, seed, tmp_path / "used")
    generate_events(chosen, config, seed, tmp_path / "fresh")
    assert (tmp_path / "used" / EVENTS_FILE).read_bytes() == (tmp_path / "fresh" / EVENTS_FILE).read_bytes()


def test_more_events_begin_with_the_same_ones(tmp_path: Path, process: ToyProcess) -> None:
    few = generate_events(process, QUICK, 3, tmp_path)
    first = next(read_lhe(few.events_file, 1_000)).momenta
    more = generate_events(process, QUICK.model_copy(update={"events": 4_000}), 3, tmp_path)
    assert torch.equal(next(read_lhe(more.events_file, 1_000)).momenta, first)
    assert sum(len(batch) for batch in read_lhe(more.events_file)) == 4_000


def test_workers_make_the_same_events(tmp_path: Path, process: ToyProcess) -> None:
    """Chunks come in any order, and some beyond those that are needed; the trained sampler is read from its folder."""
    alone = generate_events(process, QUICK, 3, tmp_path / "alone")
    shutil.copytree(tmp_path / "alone" / "work", tmp_path / "shared" / "work")
    config = QUICK.model_copy(update={"workers": 2})
    shared = generate_events(process, config, 3, tmp_path / "shared", build=ToyProcess)
    for one, other in ((alone.events_file, shared.events_file), (alone.summary_file, shared.summary_file)):
        assert one.read_bytes() == other.read_bytes()
    assert generate_events(process, QUICK, 3, tmp_path / "shared") == shared  # the same run, whoever does the work


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["training", "chunks", "writing"])
def test_killed_generation_continues_to_the_same_events(
    stage: str, tmp_path: Path, process: ToyProcess, repository: Path
) -> None:
    command = [sys.executable, "-m", "tests.generation.kill_worker", str(tmp_path / "killed"), stage]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=repository) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "kill me\n"
        os.kill(worker.pid, signal.SIGKILL)
    assert not (tmp_path / "killed" / EVENTS_FILE).exists()
    generate_events(process, QUICK, 3, tmp_path / "killed")
    generate_events(process, QUICK, 3, tmp_path / "whole")
    for name in (EVENTS_FILE, SUMMARY_FILE):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not list((tmp_path / "killed").rglob("*.partial"))


@pytest.mark.parametrize("name", ["training.safetensors", "pilot.json"])
def test_damaged_checkpoint_is_replaced_with_a_warning(
    name: str, tmp_path: Path, process: ToyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    first = generate_events(process, QUICK, 3, tmp_path)
    content = first.events_file.read_bytes()
    first.summary_file.unlink()
    (tmp_path / "work" / name).write_bytes(b"{torn")
    with caplog.at_level(logging.WARNING):
        generate_events(process, QUICK, 3, tmp_path)
    assert name in caplog.text
    assert first.events_file.read_bytes() == content


def test_damaged_summary_is_replaced_with_a_warning(
    tmp_path: Path, process: ToyProcess, caplog: pytest.LogCaptureFixture
) -> None:
    first = generate_events(process, QUICK, 3, tmp_path)
    first.summary_file.write_text("{torn")
    with caplog.at_level(logging.WARNING):
        assert generate_events(process, QUICK, 3, tmp_path) == first
    assert "generation.json is damaged" in caplog.text


def test_unknown_parameter(tmp_path: Path, process: ToyProcess) -> None:
    with pytest.raises(ParameterError, match="unknown theory parameter 'kk'; this process has: k"):
        generate_events(process, QUICK.model_copy(update={"theta": {"kk": 1.0}}), 3, tmp_path)
    with pytest.raises(ParameterError, match="unknown theory parameter 'kk'"):
        generate_events(process, QUICK.model_copy(update={"weight_scales": {"kk": 1.0}}), 3, tmp_path)


def test_nan_stops_with_the_point(tmp_path: Path) -> None:
    with pytest.raises(NonFiniteError, match="The first is the point"):
        generate_events(ToyProcess(broken=0.1), QUICK, 3, tmp_path)
    assert not (tmp_path / EVENTS_FILE).exists()


def test_too_few_points_allowed(tmp_path: Path, process: ToyProcess) -> None:
    config = QUICK.model_copy(update={"max_points": 2_000})
    with pytest.raises(GenerationError, match=r"2,000 points gave .* of the 3,000 events asked for"):
        generate_events(process, config, 3, tmp_path)


def test_unwritable_output(tmp_path: Path, process: ToyProcess) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        generate_events(process, QUICK, 3, tmp_path / "file" / "out")


def test_full_disk_keeps_what_is_finished(tmp_path: Path, process: ToyProcess) -> None:
    """A limit on the size of files stands for a full disk: chunks fit, the event file does not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        with pytest.raises(OutputError, match=r"cannot write .*events\.lhe\.gz"):
            generate_events(process, QUICK, 3, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / EVENTS_FILE).exists()
    assert not list(tmp_path.rglob("*.partial"))
    assert len(list((tmp_path / "work" / "chunks").iterdir())) >= 3
    assert generate_events(process, QUICK, 3, tmp_path).events == 3_000


def test_mixture_covers_both_points_and_stays_unbiased(tmp_path: Path, process: ToyProcess) -> None:
    config = QUICK.model_copy(update={"theta_mixture": ({"k": -1.0},), "events": 8_000, "chunk_points": 10_000})
    result = generate_events(process, config, 3, tmp_path)
    coefficients = torch.cat([batch.coefficients for batch in read_lhe(result.events_file)])
    for k in (0.0, -1.0):
        weights = coefficients @ torch.tensor([1.0, k, k**2], dtype=torch.float64)
        exact = COEFFICIENTS[0] + k * COEFFICIENTS[1] + k**2 * COEFFICIENTS[2]
        error = float(weights.std()) / len(weights) ** 0.5
        assert abs(float(weights.mean()) - exact) < 5 * error
        assert error < 0.02 * exact
    assert result.summary["theta"] == {"k": 0.0}


def test_process_without_parameters(tmp_path: Path) -> None:
    from partonic.polynomial import Monomials

    constant = replace(ToyProcess(), monomials=Monomials.constant())

    class Constant(ToyProcess):
        def channel_coefficients(self, events):
            return super().channel_coefficients(events)[:, :, :1]

    result = generate_events(
        Constant(monomials=constant.monomials), GenerationConfig(**(QUICK.model_dump() | {"events": 500})), 3, tmp_path
    )
    assert list(result.coefficients) == ["1"]
    assert abs(result.cross_section.value - COEFFICIENTS[0]) < 5 * result.cross_section.error
