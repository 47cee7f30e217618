import pytest

from partonic.config import AnalysisConfig
from partonic.errors import ProcessError
from partonic.processes.tth import checks
from partonic.workflow.physics_check import cross_section_is_plausible, matrix_element_agrees


def test_wrong_matrix_element_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    config = AnalysisConfig(name="toy")
    assert "independent program to" in matrix_element_agrees(config)
    monkeypatch.setattr(checks, "_SQUARED", 9.90488e-07)
    with pytest.raises(ProcessError, match=r"is 9\.9048729.*where an independent program has 9\.90488e-07"):
        matrix_element_agrees(config)


def test_cross_section_of_another_energy() -> None:
    low, high = (AnalysisConfig(name="toy", process={"collider_energy": energy}) for energy in (7000.0, 13000.0))
    values = [float(cross_section_is_plausible(config).split("= ")[-1].split(" ±")[0]) for config in (low, high)]
    assert 0.05 < values[0] < 0.12, "pb; leading order at 7 TeV, known within tens of percent"
    assert 0.35 < values[1] < 0.50
