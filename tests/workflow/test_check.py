from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.workflow import Finding, check, check_analysis
from partonic.workflow.lock import folder_lock


def findings_of(content: dict[str, object], output: Path) -> dict[str, Finding]:
    config = AnalysisConfig.model_validate({"name": "toy", "output": output, **content})
    return {finding.subject: finding for finding in check_analysis(config)}


def test_analysis_with_all_that_it_needs(tmp_path: Path) -> None:
    findings = findings_of({}, tmp_path / "out")
    assert list(findings) == ["configuration", "packages", "output", "matrix element", "process", "shower"]
    assert all(finding.passed for finding in findings.values()), [str(finding) for finding in findings.values()]
    assert "delta_kappa_t, kappa_tilde_t, c_tG" in findings["process"].detail


@pytest.mark.parametrize(
    ("content", "subject", "message"),
    [
        ({"process": {"pdf": {"name": "NoSuchSet"}}}, "process", "NoSuchSet"),
        ({"process": {"collider_energy": 400.0}}, "process", "below the threshold"),
        ({"simulation": {"pythia_settings": ["TimeShower:alphasValeu = 0.1"]}}, "shower", "TimeShower:alphasValeu"),
        ({"import": {"format": "lhe", "files": ["absent.lhe"]}}, "files", "event file absent.lhe not found"),
        (
            {
                "import": {
                    "format": "lhe",
                    "files": [__file__],
                    "reweight": {"engine": "ufoamp", "model": "absent_UFO", "parameters": {"c_tG": "ctG"}},
                }
            },
            "model",
            "there is no model absent_UFO; mend the key `model`",
        ),
        ({"unfolding": {"model": "absent"}}, "unfolding", "there is no folder absent; give 'pretrained', or a folder"),
        ({"unfolding": {"stores": ["absent.parquet"]}}, "unfolding", "there is no file absent.parquet; mend the key"),
        ({"mem_training": {"stores": ["absent.parquet"]}}, "mem_training", "absent.parquet; mend the key mem_training"),
        (
            {"mem_training": {"parts": ["proposal"], "proposal": {"drawn": {"model": "absent"}}}},
            "mem_training",
            "absent holds no model 'transfer'",
        ),
        (
            {"mem_training": {"parts": ["proposal"], "proposal": {"start": "absent"}}},
            "mem_training",
            "absent holds no model 'proposal'",
        ),
        ({"mem": {"model": "absent"}}, "mem", "absent holds no model 'transfer'"),
        (
            {"process": {"name": "thq"}, "simulation": {"decays": {"tops": "leptonic"}}, "mem": {}},
            "mem",
            "set simulation.decays.tops to hadronic",
        ),
        ({"mem": {"store": "absent.parquet"}}, "mem", "there is no file absent.parquet; mend the key mem.store"),
        ({"sbi": {"shares": {"fit": 0.0}}}, "sbi", "sbi.shares.fit: no event is left for the fit"),
        ({"sbi": {"stores": ["absent.parquet"]}}, "sbi", "there is no file absent.parquet; mend the key sbi.stores"),
        ({"inference": {"source": "sbi"}}, "inference", "the section `sbi` makes, and there is none: add `sbi: {}`"),
        ({"inference": {"source": "classical"}}, "inference", "add `classical: {}`, or choose another source"),
        ({"inference": {"coefficients": "absent.parquet"}}, "inference", "there is no file absent.parquet; mend"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, content: dict[str, object], subject: str, message: str) -> None:
    findings = findings_of(content, tmp_path / "out")
    assert [finding.subject for finding in findings.values() if not finding.passed] == [subject]
    assert message in findings[subject].detail
    assert str(findings[subject]).startswith(f"FAILED {subject}: ")


def test_matrix_element_method_that_is_ready(tmp_path: Path) -> None:
    findings = findings_of({"mem": {}, "inference": {}}, tmp_path / "out")
    assert all(finding.passed for finding in findings.values()), [str(finding) for finding in findings.values()]
    assert "pretrained/tth/mem/transfer" in findings["mem"].detail
    assert "iminuit" in findings["packages"].detail
    trained = findings_of({"mem": {}, "mem_training": {}}, tmp_path / "other")
    assert trained["mem_training"].detail.startswith("transfer, acceptance of the preset 'small' are trained on the ev")
    assert trained["mem"].passed


def test_imported_events_need_no_generator(tmp_path: Path) -> None:
    events = tmp_path / "events.lhe"
    events.write_text("")
    findings = findings_of({"import": {"format": "lhe", "files": [events]}}, tmp_path / "out")
    assert list(findings) == ["configuration", "packages", "output", "files"]
    assert all(finding.passed for finding in findings.values())


@pytest.mark.parametrize(
    ("section", "detail"),
    [
        ({}, "networks of the preset 'small' are trained on the events of this analysis"),
        ({"preset": "tiny", "stores": ["events.lhe"]}, "networks of the preset 'tiny' are trained on 1 event stores"),
        ({"views": ["hard"], "model": "model"}, "trained models found: model/hard"),
    ],
)
def test_unfolding_that_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, object], detail: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("events.lhe").write_text("")
    Path("model/hard").mkdir(parents=True)
    Path("model/hard/model.json").write_text("{}")
    content = {"import": {"format": "lhe", "files": ["events.lhe"]}, "unfolding": section}
    findings = findings_of(content, tmp_path / "out")
    assert all(finding.passed for finding in findings.values())
    assert findings["unfolding"].detail.startswith(detail)


@pytest.mark.parametrize(("section", "needed"), [({}, True), ({"model": "pretrained"}, False)])
def test_only_training_needs_lightning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: dict[str, object], needed: bool
) -> None:
    monkeypatch.setattr(check, "find_spec", lambda name: None if name == "lightning" else object())
    finding = findings_of({"unfolding": section}, tmp_path / "out")["packages"]
    assert finding.passed is not needed
    if needed:
        assert "pip install 'partonic[training]'" in finding.detail


def test_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "find_spec", lambda name: None if name == "fastjet" else object())
    finding = findings_of({}, tmp_path / "out")["packages"]
    assert not finding.passed
    assert "not installed: fastjet; install them with: pip install 'partonic[simulation]'" in finding.detail


def test_output_that_cannot_be_written() -> None:
    finding = findings_of({}, Path("/proc/partonic"))["output"]
    assert not finding.passed
    assert "cannot write" in finding.detail


def test_folder_of_another_run(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "out"):
        finding = findings_of({}, tmp_path / "out")["output"]
    assert not finding.passed
    assert "another partonic is at work" in finding.detail
