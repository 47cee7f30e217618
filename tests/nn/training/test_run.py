"""A phase of training: the same result after a kill, the guard, early stopping, what it leaves behind."""

import csv
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from toy_phase import SETTINGS, ToyPhase, toy_table, train_toy

from partonic.errors import TrainingError
from partonic.nn.training import PhaseModule, TensorTable, run_phase
from partonic.nn.training.tensor_file import read_tensors, write_tensors

STEPS = 10
"""Steps of an epoch of the toy: 330 events in batches of 32."""


def weights_of(folder: Path, name: str = "last") -> dict[str, Tensor]:
    return read_tensors(folder / f"{name}.safetensors")[0]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    train_toy(folder)
    return folder


def same_state(first: Path, second: Path) -> bool:
    """Weights, optimiser, multipliers and history of the last epoch, and the best weights, bit by bit."""
    for name in ("last", "best"):
        one, other = weights_of(first, name), weights_of(second, name)
        if one.keys() != other.keys() or not all(torch.equal(one[key], other[key]) for key in one):
            return False
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in ("epochs.csv", "steps.csv"))


def run_program(folder: Path, task: int | str) -> int:
    program = Path(__file__).with_name("toy_phase.py")
    command = [sys.executable, str(program), str(folder), str(task)]
    return subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False).returncode


def test_learns_and_leaves_the_best_weights_in_the_module(tmp_path: Path) -> None:
    module = ToyPhase()
    result = train_toy(tmp_path, module)
    validation = [row["validation"] for row in result.history.epochs]
    assert validation[-1] < 0.2 * validation[0] or min(validation) < 0.1
    assert result.best_validation == min(validation)
    assert result.best_epoch == 1 + validation.index(min(validation))
    assert (result.epochs, result.skipped) == (4, 0)
    table = toy_table(100, 2)
    with torch.no_grad():
        assert float(module.validation_loss(table.columns)) == pytest.approx(result.best_validation, rel=1e-5)
    assert not module.training


def test_same_seed_same_result_and_global_random_numbers_are_left_alone(whole: Path, tmp_path: Path) -> None:
    module = ToyPhase()
    torch.manual_seed(99)
    expected = torch.rand(3, generator=torch.Generator().manual_seed(99))
    train_toy(tmp_path, module)
    assert same_state(whole, tmp_path)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.slow
def test_killed_at_any_moment_and_resumed_gives_the_same(whole: Path, tmp_path: Path) -> None:
    """SIGKILL in the third epoch, and again in the fourth after resuming; then to the end."""
    for step in (2 * STEPS + 3, STEPS + 8):
        assert run_program(tmp_path, step) == -signal.SIGKILL
    train_toy(tmp_path)
    assert same_state(whole, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in whole.iterdir())


@pytest.mark.slow
def test_two_processes_with_half_a_batch_each_do_the_same_as_one(tmp_path: Path) -> None:
    """Gradients, figures and validation are averaged, and the two halves are those of the one batch."""
    assert run_program(tmp_path / "two", "two") == 0
    one = train_toy(tmp_path / "one", ToyPhase(noise=0.0))
    with (tmp_path / "two" / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("step", "loss", "size", "multiplier.size", "validation"):
        expected = [row[name] for row in one.history.epochs]
        assert [float(row[name]) for row in rows] == pytest.approx(expected, rel=1e-4), name
    two = weights_of(tmp_path / "two", "best")
    for name, tensor in weights_of(tmp_path / "one", "best").items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("moment", ["write_tensors", "save_checkpoint", "write"])
def test_stopped_between_the_files_of_an_epoch(
    whole: Path, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the best weights, before the checkpoint, before the tables of the second epoch."""
    from lightning.pytorch import Trainer

    from partonic.nn.training import bookkeeping

    target = {"write_tensors": bookkeeping, "save_checkpoint": Trainer, "write": bookkeeping.History}[moment]
    original, calls = getattr(target, moment), []

    def stopping(*args: object, **keywords: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError(moment)
        return original(*args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(target, moment, stopping)
        with pytest.raises(RuntimeError, match=moment):
            train_toy(tmp_path)
    train_toy(tmp_path)
    assert same_state(whole, tmp_path)


def test_finished_phase_is_only_loaded(whole: Path) -> None:
    module, before = ToyPhase(), (whole / "last.safetensors").stat().st_mtime_ns
    result = train_toy(whole, module)
    assert module.batches == 0
    assert (whole / "last.safetensors").stat().st_mtime_ns == before
    assert result.epochs == 4
    best = weights_of(whole, "best")
    assert all(torch.equal(tensor, best[name]) for name, tensor in module.state_dict().items())


def test_checkpoint_of_another_training_is_refused(whole: Path) -> None:
    with pytest.raises(TrainingError, match="differs in: learning_rate"):
        train_toy(whole, settings=replace(SETTINGS, learning_rate=0.5))
    other = ToyPhase()
    other.net[0].weight.data.mul_(1.01)
    with pytest.raises(TrainingError, match="differs in: events, initial weights, seed, validation events"):
        run_phase(other, toy_table(200, 1), toy_table(100, 3), SETTINGS, whole, 8)


def test_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    train_toy(tmp_path)
    path = tmp_path / "last.safetensors"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(TrainingError, match=r"cannot read .*last.safetensors.*to train anew"):
        train_toy(tmp_path)
    write_tensors(path, {"a": torch.zeros(2)}, {})
    with pytest.raises(TrainingError, match="no checkpoint of partonic"):
        train_toy(tmp_path)


def test_steps_that_are_not_finite_are_skipped_counted_and_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = {3: float("nan"), 4: float("inf"), 17: float("nan")}
    with caplog.at_level(logging.WARNING):
        result = train_toy(tmp_path, ToyPhase(hurt=bad))
    assert result.skipped == 3
    assert [row["skipped"] for row in result.history.epochs] == [2, 1, 0, 0]
    assert "3 steps were skipped" in caplog.text
    assert all(torch.isfinite(tensor).all() for tensor in weights_of(tmp_path).values())
    assert result.best_validation < 0.5


def test_a_skipped_step_changes_nothing(tmp_path: Path) -> None:
    """Neither weights, nor optimiser, nor multipliers: with every step skipped, all stay as they were."""
    module = ToyPhase(hurt=dict.fromkeys(range(STEPS), float("nan")))
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    run_phase(module, toy_table(330, 1), toy_table(100, 2), replace(SETTINGS, epochs=1), tmp_path, 7)
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_too_many_in_a_row_is_an_error(tmp_path: Path) -> None:
    module = ToyPhase(hurt=dict.fromkeys(range(5, 20), float("nan")))
    with pytest.raises(TrainingError, match=r"6 steps in a row.*loss, lagrangian, gradient"):
        train_toy(tmp_path, module, replace(SETTINGS, max_skipped=5))


def test_a_training_that_diverges_at_once_says_that_nothing_is_kept(tmp_path: Path) -> None:
    module = ToyPhase(hurt=dict.fromkeys(range(STEPS), float("nan")))
    with pytest.raises(TrainingError, match="no weights are kept"):
        train_toy(tmp_path, module, replace(SETTINGS, max_skipped=5))


def test_a_training_that_diverges_names_its_last_good_state(tmp_path: Path) -> None:
    module = ToyPhase(hurt=dict.fromkeys(range(2 * STEPS + 1, 4 * STEPS), float("nan")))
    with pytest.raises(TrainingError, match=r"best weights so far, of epoch [12], are kept in .*best\.safetensors"):
        train_toy(tmp_path, module, replace(SETTINGS, max_skipped=5))
    assert all(torch.isfinite(tensor).all() for tensor in weights_of(tmp_path).values())


def test_validation_that_is_never_finite_is_an_error(tmp_path: Path) -> None:
    held_out = TensorTable({"x": torch.zeros(10, 1), "y": torch.full((10, 1), float("nan"))})
    with pytest.raises(TrainingError, match="no best weights"):
        run_phase(ToyPhase(), toy_table(330, 1), held_out, SETTINGS, tmp_path, 7)


class Interrupted(ToyPhase):
    """Somebody presses Ctrl-C in the third epoch."""

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if self.batches == 2 * STEPS + 3:
            raise KeyboardInterrupt
        return super().training_losses(batch, generator)


class Terminated(ToyPhase):
    """A batch system ends the program in the third epoch."""

    def training_losses(
        self, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        if self.batches == 2 * STEPS + 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().training_losses(batch, generator)


class Worsening(ToyPhase):
    """Its validation loss falls twice, then rises."""

    losses = (3.0, 2.0, 2.5, 2.6, 2.7, 1.0, 0.5)
    seen = 0

    def validation_loss(self, batch: Mapping[str, Tensor]) -> Tensor:
        self.seen += len(batch["x"])
        return torch.tensor(self.losses[(self.seen - 1) // 100])


def test_stops_early_with_the_best_weights(tmp_path: Path) -> None:
    result = train_toy(tmp_path, Worsening(), replace(SETTINGS, epochs=7, patience=2))
    assert (result.epochs, result.best_epoch, result.best_validation) == (4, 2, 2.0)
    again = train_toy(tmp_path, Worsening(), replace(SETTINGS, epochs=7, patience=2))
    assert again == result


def test_plateau_lowers_the_rate(tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=6, schedule="plateau", decay=0.5, plateau_patience=0)
    rates = [row["learning_rate"] for row in train_toy(tmp_path, Worsening(), settings).history.epochs]
    assert rates == pytest.approx([0.02, 0.02, 0.02, 0.01, 0.005, 0.0025])


def test_history_is_a_table_that_any_program_reads(whole: Path) -> None:
    for name, rows in (("epochs.csv", 4), ("steps.csv", 40)):
        with (whole / name).open() as file:
            table = list(csv.DictReader(file))
        assert len(table) == rows
        assert {"epoch", "step", "loss", "size", "multiplier.size", "learning_rate", "gradient"} <= table[0].keys()
        assert all(float(row["multiplier.loose"]) == 0.0 < float(row["multiplier.size"]) for row in table)
        assert [int(row["step"]) for row in table] == sorted(int(row["step"]) for row in table)


def test_averaged_weights_are_validated_kept_and_resumed(tmp_path: Path) -> None:
    settings = replace(SETTINGS, average=0.9)
    module = ToyPhase()
    result = train_toy(tmp_path / "whole", module, settings)
    with torch.no_grad():
        assert float(module.validation_loss(toy_table(100, 2).columns)) == pytest.approx(
            result.best_validation, rel=1e-5
        )
    last, best = weights_of(tmp_path / "whole"), weights_of(tmp_path / "whole", "best")
    assert result.best_epoch == 4
    name = next(name for name in last if name.endswith("/state_dict/net.0.weight"))
    assert not torch.equal(last[name], best["net.0.weight"])
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path / "cut", Interrupted(), settings)
    train_toy(tmp_path / "cut", ToyPhase(), settings)
    assert same_state(tmp_path / "whole", tmp_path / "cut")


def test_tensorboard_files_on_request(tmp_path: Path) -> None:
    train_toy(tmp_path, settings=replace(SETTINGS, epochs=1, logger="tensorboard"))
    assert list((tmp_path / "tensorboard").glob("events.out.*"))


def test_nothing_is_left_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    train_toy(tmp_path / "out", settings=replace(SETTINGS, epochs=1))
    assert list((tmp_path / "here").iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_interrupt_reaches_the_caller_and_the_handler_is_as_before(whole: Path, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train_toy(tmp_path, Interrupted())
    assert signal.getsignal(signal.SIGINT) is handler
    train_toy(tmp_path)
    assert same_state(whole, tmp_path)


def test_ends_at_once_when_told_to(whole: Path, tmp_path: Path) -> None:
    module = Terminated()
    with pytest.raises(SystemExit) as ended:
        train_toy(tmp_path, module)
    assert ended.value.code == 128 + signal.SIGTERM
    assert module.batches == 2 * STEPS + 4
    train_toy(tmp_path)
    assert same_state(whole, tmp_path)


def test_reduced_precision_on_request(tmp_path: Path) -> None:
    result = train_toy(tmp_path, settings=replace(SETTINGS, precision="bf16-mixed"))
    exact = train_toy(tmp_path / "exact")
    assert result.skipped == 0
    assert 0.0 < abs(result.best_validation / exact.best_validation - 1.0) < 0.2


def test_names_of_the_history_are_taken() -> None:
    with pytest.raises(ValueError, match=r"must not be called \['loss'\]"):
        PhaseModule({"loss": 1.0})


def test_progress_is_told_of_every_step(tmp_path: Path) -> None:
    told: list[object] = []

    class Teller:
        def start(self, description: str, total: int | None, unit: str, done: int = 0) -> None:
            told.append((description, total, unit, done))

        def advance(self, amount: int = 1, **figures: float | str) -> None:
            told.append(amount)

        def finish(self) -> None:
            told.append("end")

    run_phase(ToyPhase(), toy_table(330, 1), toy_table(100, 2), SETTINGS, tmp_path, 7, Teller())
    assert told == [("train toy", 4 * STEPS, "step", 0), *[1] * 4 * STEPS, "end"]
