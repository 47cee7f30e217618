import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["configuration.md", "analysis.schema.json"])
def test_reference_of_the_analysis_file_is_up_to_date(repository: Path, tmp_path: Path, name: str) -> None:
    script = repository / "docs" / "write_configuration.py"
    copy = tmp_path / script.name
    copy.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "reference").mkdir()
    subprocess.run([sys.executable, copy], check=True)
    written = (repository / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert (tmp_path / "reference" / name).read_text(encoding="utf-8") == written, f"run: python {script}"
