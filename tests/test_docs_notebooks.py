"""The notebooks of the documentation run, and say what they are said to say."""

import importlib.util
import json
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def notebooks():
    path = Path(__file__).resolve().parents[1] / "docs" / "notebooks.py"
    spec = importlib.util.spec_from_file_location("notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "said"),
    [("fit_in_a_notebook", "<td>a</td>"), ("a_mixing_angle", "holds 165°: True")],
)
def test_a_notebook_runs(notebooks, repository, tmp_path, name, said):
    source = repository / "docs" / "tutorials" / f"{name}.ipynb"
    (tmp_path / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    (page,) = notebooks.write_notebook_pages(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert said in text
    assert '<img alt="figure"' in text


def test_a_cell_that_fails_fails_the_build(notebooks, tmp_path):
    cells = [{"cell_type": "code", "source": ["1 / 0"]}]
    (tmp_path / "bad.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        notebooks.write_notebook_pages(tmp_path)


def test_notebooks_are_kept_without_outputs(repository):
    for path in (repository / "docs" / "tutorials").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), f"{path}: clear the outputs"
