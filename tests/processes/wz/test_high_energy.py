"""Behaviour of the coefficients of |M|² at high energy, and what the documentation says of it."""

import re
from pathlib import Path

import pytest
import torch

from partonic.errors import ParameterError
from partonic.processes.wz.high_energy import central_coefficients, central_scattering, growth


def test_growth_with_energy() -> None:
    """Powers of ŝ of each coefficient at fixed angle, from the helicities at which it survives without masses.

    The Standard Model has (±∓) and (00), O_WWW (±±), O_ΦWB (0±) and O_Φq3 (00). So c_Φq3 interferes and grows as ŝ,
    c_WWW interferes with suppressed helicities only and does not grow; squares grow as ŝ², that of O_ΦWB, which has
    one helicity flip, as ŝ, like all products of two different operators.
    """
    expected = {
        "1": 0, "c_PhiWB": 0, "c_WWW": 0, "c_Phiq3": 1, "c_PhiWB^2": 1, "c_WWW^2": 2, "c_Phiq3^2": 2,
        "c_PhiWB*c_WWW": 1, "c_PhiWB*c_Phiq3": 1, "c_WWW*c_Phiq3": 1,
    }  # fmt: skip
    found = growth(8000.0, 16000.0)
    assert {name: round(power, 2) for name, power in found.items()} == pytest.approx(expected, abs=0.01)


def test_momenta_are_on_their_mass_shells() -> None:
    momenta = central_scattering(500.0, torch.linspace(-1, 1, 5, dtype=torch.float64))
    squares = momenta[..., 0] ** 2 - momenta[..., 1:].square().sum(dim=-1)
    torch.testing.assert_close(squares[:, :2], torch.zeros(5, 2, dtype=torch.float64), atol=1e-7, rtol=0)
    torch.testing.assert_close(squares[:, 2:].sqrt()[0].tolist(), [80.379, 91.1876], rtol=1e-9, atol=0)
    torch.testing.assert_close(momenta[:, :2].sum(dim=1), momenta[:, 2:].sum(dim=1))


def test_table_of_the_documentation(repository: Path) -> None:
    """Every number of the table is that of the amplitude, to the digits that stand there."""
    text = (repository / "docs" / "explanation" / "wz.md").read_text(encoding="utf-8")
    table = text[text.index("| √ŝ, TeV |") :].split("\n\n")[0].splitlines()
    energies = [1000 * float(cell) for cell in table[0].split("|")[2:7]]
    found = [central_coefficients(energy) for energy in energies]
    named = {
        "1": "1", r"c_{\Phi WB}": "c_PhiWB", "c_{WWW}": "c_WWW", r"c^{(3)}_{\Phi q}": "c_Phiq3",
        r"c_{\Phi WB}^2": "c_PhiWB^2", "c_{WWW}^2": "c_WWW^2", r"(c^{(3)}_{\Phi q})^2": "c_Phiq3^2",
    }  # fmt: skip
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]]
    assert [named[row[0].strip("$ ")] for row in rows] == list(named.values())
    for row in rows:
        written = [float(re.sub("−", "-", cell)) for cell in row[1:6]]
        expected = [each[named[row[0].strip("$ ")]] for each in found]
        assert written == pytest.approx(expected, rel=0.006)


def test_figure_of_the_documentation_can_be_drawn(repository: Path, tmp_path: Path) -> None:
    script = repository / "docs" / "draw_wz_growth.py"
    namespace: dict[str, object] = {"__name__": "drawn", "__file__": str(script)}
    exec(compile(script.read_text(encoding="utf-8"), script, "exec"), namespace)  # noqa: S102 - our own script
    namespace["draw"](tmp_path / "growth.png")  # type: ignore[operator]
    assert (tmp_path / "growth.png").stat().st_size > 10_000
    assert (repository / "docs" / "explanation" / "wz_growth.png").is_file()


def test_below_threshold() -> None:
    with pytest.raises(ParameterError, match=r"need √ŝ above 171\.6 GeV"):
        central_coefficients(150.0)
    with pytest.raises(ParameterError, match="cosines from −1 to 1"):
        central_coefficients(500.0, reach=1.5)
