"""Stores that `sample` and `mem` cannot use: what is missing, and what to do."""

from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from tests.events.conftest import event_table

from partonic.cli import main
from partonic.events.batch import RECO_COLUMNS
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.store import EventWriter
from partonic.processes.tth.settings import TthConfig


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def store(path: Path, *, reconstructed: bool = True, name: str = "tth", energy: float = 13_000.0) -> Path:
    """Events of which a third is rejected; without coefficients that depend on θ."""
    known = ProcessInfo.of_config(TthConfig(collider_energy=energy))
    left_out = () if reconstructed else ("selected", "cut", *RECO_COLUMNS)
    table = event_table(30).drop_columns(["weight_scale_up", *left_out])
    coefficients = table["coefficients"].combine_chunks()
    index = table.column_names.index("coefficients")
    wide = [[*row, *[0.0] * (len(known.monomials) - len(row))] for row in coefficients.to_pylist()]
    table = table.set_column(index, "coefficients", pa.array(wide, pa.list_(pa.float64(), len(known.monomials))))
    metadata = StoreMetadata.for_process(known, source="lhe: events.lhe").with_facts(process=name)
    with EventWriter(path, metadata) as writer:
        writer.write(table)
    return path


@pytest.mark.parametrize("command", ["sample", "mem"])
def test_parton_level_store(tmp_path: Path, command: str) -> None:
    partons = store(tmp_path / "events.parquet", reconstructed=False)
    found = run(command, "--store", partons, "-o", tmp_path / "out.parquet")
    assert found.exit_code == 1
    assert f"{partons} holds parton-level events only (source: lhe: events.lhe)" in found.stderr
    assert "jet_pt" in found.stderr
    assert "`partonic simulate`" in found.stderr
    assert "import its HepMC files" in found.stderr


@pytest.mark.parametrize("command", ["sample", "mem"])
def test_parton_level_events_in_an_analysis(tmp_path: Path, command: str) -> None:
    partons = store(tmp_path / "events.parquet", reconstructed=False)
    path = tmp_path / "analysis.yaml"
    path.write_text(
        f"name: toy\noutput: {tmp_path / 'out'}\nunfolding: {{model: pretrained}}\nmem: {{store: {partons}}}\n"
    )
    if command == "sample":
        (tmp_path / "out" / "simulate").mkdir(parents=True)
        partons.rename(tmp_path / "out" / "simulate" / "events.parquet")
        path.write_text(f"name: toy\noutput: {tmp_path / 'out'}\nunfolding: {{model: pretrained}}\n")
        found = run_without_simulation(path)
    else:
        found = run(command, path)
    assert found.exit_code == 1
    assert "holds parton-level events only" in found.stderr


def run_without_simulation(path: Path) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        for step in ("GenerateStep", "SimulateStep"):
            patch.setattr(f"partonic.workflow.steps.{step}.applies", lambda self, config: False)
        return run("sample", path)


def test_unfolding_of_another_process(tmp_path: Path) -> None:
    other = store(tmp_path / "events.parquet", name="ttbar")
    found = run("sample", "--store", other, "-o", tmp_path / "out.parquet")
    assert found.exit_code == 1
    assert f"{other} holds events of 'ttbar', for which no unfolding model ships with partonic" in found.stderr
    assert "`partonic train`" in found.stderr
    assert "--model" in found.stderr


def test_matrix_element_of_another_process(tmp_path: Path) -> None:
    other = store(tmp_path / "events.parquet", name="ttbar")
    found = run("mem", "--store", other, "-o", tmp_path / "out.parquet")
    assert found.exit_code == 1
    assert "holds events of 'ttbar', for which there is no matrix element here (there is one for: " in found.stderr
    assert f"`mem.store: {other}`" in found.stderr


@pytest.mark.parametrize("command", ["sample", "mem"])
def test_another_collider(tmp_path: Path, command: str) -> None:
    other = store(tmp_path / "events.parquet", energy=14_000.0)
    options = ["--points", 16] if command == "mem" else []
    found = run(command, "--store", other, "-o", tmp_path / "out.parquet", *options)
    assert found.exit_code == 1
    assert "√S = 14000 GeV, the model knows 13000 GeV" in found.stderr
    assert "Use a model that was trained on such events" in found.stderr
