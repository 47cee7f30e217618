import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tests.unfolding.toys import PROCESS, WITH_ISR, GaussianSampler, gaussian_log_density, write_store

from partonic.config.unfolding import SamplingConfig
from partonic.errors import ConfigError, EventFileError, SchemaError
from partonic.progress import SilentProgress
from partonic.unfolding.samples_file import SampledEvents, SamplesFile
from partonic.unfolding.sampling import LoadedModel, SamplingResult, sample_store

CONFIG = SamplingConfig(samples_per_event=7, batch_events=10)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return write_store(tmp_path / "events.parquet", faults=True)


def sample(
    store: Path, output: Path, config: SamplingConfig = CONFIG, seed: int = 3, **options: object
) -> GaussianSampler:
    sampler = GaussianSampler(**options)
    sample_store(store, LoadedModel(sampler, "toy", "f" * 64), config, seed, output)
    return sampler


def read(path: Path) -> SampledEvents:
    (events,) = SamplesFile.open(path).batches(size=10_000)
    return events


def test_one_row_for_each_selected_event_and_bad_ones_flagged(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "samples.parquet"
    result = sample_store(store, LoadedModel(GaussianSampler(), "toy", "f" * 64), CONFIG, 3, output)
    events = read(output)
    assert events.event_id.tolist() == [number for number in range(60) if number % 5 != 4]
    faults = {
        1: "a jet is NaN or infinite",
        2: "the missing transverse momentum is NaN or infinite",
        3: "fewer than 4 jets",
    }
    assert events.samples.status == tuple(faults.get(number, "ok") for number in events.event_id.tolist())
    good = torch.tensor([word == "ok" for word in events.samples.status])
    for name in ("momenta", "x1", "x2", "numbers", "log_density"):
        values = getattr(events.samples, name)
        assert values[good].isfinite().all()
        assert values[~good].isnan().all()
    assert events.samples.momenta.shape == (48, 7, 3, 4)
    assert str(result) == (
        "45 events with 7 samples each, not unfolded: 1 a jet is NaN or infinite, 1 fewer than 4 jets, "
        f"1 the missing transverse momentum is NaN or infinite, in {output}"
    )


def test_what_is_read_is_what_was_drawn(store: Path, tmp_path: Path) -> None:
    """The density is that of the numbers, the momenta are those of the numbers, up to rounding."""
    sample(store, tmp_path / "samples.parquet", view=WITH_ISR)
    samples = read(tmp_path / "samples.parquet").samples
    numbers = samples.numbers[4:].flatten(0, 1)
    partons, _ = WITH_ISR.partons(numbers)
    torch.testing.assert_close(samples.momenta[4:].flatten(0, 1), partons.momenta, rtol=1e-11, atol=1e-9)
    torch.testing.assert_close(samples.x1[4:].flatten(), partons.x1, rtol=1e-11, atol=1e-9)
    torch.testing.assert_close(samples.log_density[4:].flatten(), gaussian_log_density(numbers), rtol=1e-11, atol=1e-9)


def test_samples_have_the_density_they_say(tmp_path: Path) -> None:
    """E_q[1/q] over the region 0.2 < u < 0.8 is its volume."""
    store = write_store(tmp_path / "events.parquet", events=25)
    sample(store, tmp_path / "samples.parquet", SamplingConfig(samples_per_event=4000))
    samples = read(tmp_path / "samples.parquet").samples
    inside = ((samples.numbers > 0.2) & (samples.numbers < 0.8)).all(dim=-1)
    weights = torch.where(inside, (-samples.log_density).exp(), 0.0).flatten().numpy()
    error = weights.std() / np.sqrt(weights.size)
    assert abs(weights.mean() - 0.6**7) < 4 * error
    assert error < 0.02 * 0.6**7


def test_batches_and_events_have_numbers_of_their_own(store: Path, tmp_path: Path) -> None:
    sample(store, tmp_path / "samples.parquet")
    numbers = read(tmp_path / "samples.parquet").samples.numbers[4:].flatten(0, 1)
    assert len(torch.unique(numbers[:, 0])) == len(numbers)


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"view": WITH_ISR}, {"config": CONFIG.model_copy(update={"precision": "bfloat16"})}]
)
def test_other_settings_are_sampled_anew(store: Path, tmp_path: Path, change: dict[str, object]) -> None:
    sample(store, tmp_path / "samples.parquet")
    assert sample(store, tmp_path / "samples.parquet").events == 0
    assert sample(store, tmp_path / "samples.parquet", **change).events == 48


def test_metadata_say_what_made_the_samples(store: Path, tmp_path: Path) -> None:
    sample(store, tmp_path / "samples.parquet")
    metadata = SamplesFile.open(tmp_path / "samples.parquet").metadata
    assert metadata.view == "hard"
    assert metadata.particles == ("H", "t_had", "t_lep")
    assert (metadata.seed, metadata.samples_per_event, metadata.dimensions) == (3, 7, 7)
    assert (metadata.model, metadata.model_fingerprint) == ("toy", "f" * 64)
    assert metadata.store == str(store)
    assert metadata.counts["ok"] == 45
    assert metadata.sampling["batch_events"] == 10
    assert "torch" in metadata.versions


def test_first_events_only(store: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"max_events": 13})
    sample(store, tmp_path / "samples.parquet", config)
    all_of_them = tmp_path / "all.parquet"
    sample(store, all_of_them)
    assert SamplesFile.open(tmp_path / "samples.parquet").num_events == 13
    first = next(SamplesFile.open(all_of_them).batches(size=10)).samples.numbers
    assert torch.equal(read(tmp_path / "samples.parquet").samples.numbers[4:10], first[4:])


def test_many_samples_come_in_smaller_batches(store: Path, tmp_path: Path) -> None:
    config = SamplingConfig(samples_per_event=60_000, max_events=8)
    sizes: list[int] = []

    class Noting(GaussianSampler):
        def sample(self, reco, samples, generator, precision="float32"):
            sizes.append(len(reco))
            return super().sample(reco, samples, generator, precision)

    sample_store(store, LoadedModel(Noting(), "toy", "f" * 64), config, 3, tmp_path / "samples.parquet")
    assert sizes == [4, 4]


def toy_on(device: str) -> GaussianSampler:
    return GaussianSampler()


def test_workers_draw_the_same_samples(store: Path, tmp_path: Path) -> None:
    alone, shared = tmp_path / "alone.parquet", tmp_path / "shared.parquet"
    sample(store, alone)
    model = LoadedModel(GaussianSampler(), "toy", "f" * 64, toy_on)
    result = sample_store(store, model, CONFIG.model_copy(update={"workers": 2}), 3, shared)
    assert result.counts["ok"] > 0
    assert pq.read_table(shared).equals(pq.read_table(alone))
    assert SamplesFile.open(shared).metadata.key == SamplesFile.open(alone).metadata.key
    assert not list(tmp_path.glob("*.parts"))


def test_interrupted_run_goes_on_with_the_same_result(store: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
    sample(store, whole)

    class Interrupted(SilentProgress):
        def advance(self, amount: int = 1, **figures: float | str) -> None:
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            sample_store(store, LoadedModel(GaussianSampler(), "toy", "f" * 64), CONFIG, 3, broken, Interrupted())
    assert not broken.exists()
    damaged = next((tmp_path / "broken.parquet.parts").glob("*/part-000001.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    assert sample(store, broken).events == 38, "all batches but the first"
    assert pq.read_table(broken).to_pylist()[4:] == pq.read_table(whole).to_pylist()[4:]
    assert pq.read_table(broken).column("status").equals(pq.read_table(whole).column("status"))
    assert not list(tmp_path.glob("*.parts"))


KILLED = """
import os, signal, sys
from pathlib import Path
from partonic.progress import SilentProgress
from partonic.unfolding.sampling import LoadedModel, sample_store
from tests.unfolding.test_sampling import CONFIG
from tests.unfolding.toys import GaussianSampler

class Deadly(SilentProgress):
    left = 2
    def advance(self, amount=1, **figures):
        Deadly.left -= 1
        if not Deadly.left:
            os.kill(os.getpid(), signal.SIGKILL)

sample_store(Path(sys.argv[1]), LoadedModel(GaussianSampler(), "toy", "f" * 64), CONFIG, 3, Path(sys.argv[2]), Deadly())
"""


def test_killed_run_goes_on_with_the_same_result(store: Path, tmp_path: Path, repository: Path) -> None:
    whole, killed = tmp_path / "whole.parquet", tmp_path / "killed.parquet"
    sample(store, whole)
    process = subprocess.run(
        [sys.executable, "-c", KILLED, store, killed], check=False, env=os.environ | {"PYTHONPATH": str(repository)}
    )
    assert process.returncode == -signal.SIGKILL
    assert not killed.exists()
    assert sample(store, killed).events == 28
    assert pq.read_table(killed).equals(pq.read_table(whole))


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_device_that_is_not_there(store: Path, tmp_path: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"the device '{device}' was asked for"):
        sample(store, tmp_path / "samples.parquet", SamplingConfig(device=device))


def test_events_of_another_kind(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", process=dataclasses.replace(PROCESS, collider_energy=8000.0))
    with pytest.raises(SchemaError, match="√S = 8000 GeV, the model knows 13000 GeV"):
        sample(store, tmp_path / "samples.parquet")


def test_store_without_selected_events(tmp_path: Path) -> None:
    store = write_store(tmp_path / "events.parquet", events=0)
    with pytest.raises(EventFileError, match="has no events"):
        sample(store, tmp_path / "samples.parquet")


def test_result_names_where_it_is(tmp_path: Path) -> None:
    result = SamplingResult(tmp_path / "x.parquet", 5, {"ok": 2})
    assert str(result) == f"2 events with 5 samples each, in {tmp_path / 'x.parquet'}"
