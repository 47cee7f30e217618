import json
from pathlib import Path

import pytest

from partonic.cli.result_box import print_result_box

TEXT = {"unicode": "κ̃_t = 1 ± 2", "ascii": "kappa_tilde_t = 1 +- 2"}


def written(folder: Path, content: object) -> Path:
    (folder / "report").mkdir(exist_ok=True)
    (folder / "report" / "report.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_box_is_printed_with_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_result_box(written(tmp_path, {"result_box": {"text": TEXT}}))
    printed = capsys.readouterr().out
    assert TEXT["unicode"] in printed
    assert printed.endswith(f"The whole report: {tmp_path / 'report' / 'index.html'}\n")


def test_ascii_where_the_terminal_has_no_other_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, {"result_box": {"text": TEXT}})
    file = (tmp_path / "out").open("w", encoding="latin-1")
    monkeypatch.setattr("sys.stdout", file)
    print_result_box(tmp_path)
    file.close()
    assert TEXT["ascii"] in (tmp_path / "out").read_text(encoding="latin-1")


@pytest.mark.parametrize("content", [{}, [], {"result_box": {}}, {"result_box": None}])
def test_reports_without_a_box_print_nothing(
    tmp_path: Path, content: object, capsys: pytest.CaptureFixture[str]
) -> None:
    print_result_box(written(tmp_path, content))
    print_result_box(tmp_path / "nowhere")
    assert capsys.readouterr().out == ""
