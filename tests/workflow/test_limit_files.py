"""Which files on the way to limits the report reads."""

from pathlib import Path

from partonic.config.analysis import AnalysisConfig
from partonic.workflow.limit_files import limit_files
from partonic.workflow.steps import ReportStep


def analysis(output: Path, **sections: object) -> AnalysisConfig:
    return AnalysisConfig.model_validate({"name": "toy", "seed": 1, "output": str(output), **sections})


def touch(output: Path, *names: str) -> None:
    for name in names:
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def test_an_analysis_without_the_method_has_none(tmp_path: Path) -> None:
    config = analysis(tmp_path)
    before = ReportStep().inputs(config)
    touch(tmp_path, "mem/tth.parquet", "mem/discriminant.json", "infer/result.json", "infer/curves.parquet")
    assert limit_files(config) is None
    assert ReportStep().inputs(config) == before


def test_only_what_is_there_is_read(tmp_path: Path) -> None:
    config = analysis(tmp_path, mem={}, inference={})
    assert limit_files(config) is None
    touch(tmp_path, "mem/tth.parquet", "infer/result.json")
    found = limit_files(config)
    assert found is not None
    assert (list(found.coefficients), found.inference) == (["tth"], None)
    touch(tmp_path, "infer/curves.parquet", "mem/discriminant.json")
    names = [path.relative_to(tmp_path).as_posix() for path in ReportStep().inputs(config)]
    assert names == [
        "simulate/events.parquet", "generate/generation.json", "mem/tth.parquet", "infer/result.json",
        "infer/curves.parquet", "mem/discriminant.json",
    ]  # fmt: skip


def test_coefficients_of_other_places(tmp_path: Path) -> None:
    touch(tmp_path, "other.parquet", "mem/ttbb.parquet", "mem/tth.parquet", "events.parquet")
    assert limit_files(analysis(tmp_path, inference={"source": "truth"})) is None
    section = {"coefficients": str(tmp_path / "other.parquet"), "backgrounds": {"ttbb": {"cross_section": 0.1}}}
    found = limit_files(analysis(tmp_path, inference=section))
    assert found is not None
    assert found.coefficients == {"tth": tmp_path / "other.parquet", "ttbb": tmp_path / "mem" / "ttbb.parquet"}
    with_store = limit_files(analysis(tmp_path, mem={"store": str(tmp_path / "events.parquet")}))
    assert with_store is not None
    assert with_store.store == tmp_path / "events.parquet"
    assert with_store.coefficients == {"tth": tmp_path / "mem" / "tth.parquet"}
