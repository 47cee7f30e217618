"""Names of estimators: those of the package, and those of other packages."""

import importlib.metadata
from dataclasses import replace

import pytest

from partonic.config.inference import InferenceConfig
from partonic.errors import InferenceError
from partonic.estimator_registry import EstimatorEntry, estimator_names, family_of, find_estimator, is_estimator

MINE = EstimatorEntry("mine", "a network of mine")
OTHER = EstimatorEntry("other", "of another name")
GROUP = "partonic.estimators"


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"mine": f"{__name__}:MINE", "wrong": f"{__name__}:OTHER", "gone": f"{__name__}:NOTHING"}
    points = {name: importlib.metadata.EntryPoint(name, value, GROUP) for name, value in values.items()}
    monkeypatch.setattr("partonic.estimator_registry._entry_points", lambda: points)


def test_those_of_the_package() -> None:
    names = ("mem", "classical", "truth", "sbi")
    assert estimator_names()[:4] == names
    assert [find_estimator(name).has_file for name in names] == [True, True, False, True]
    assert [find_estimator(name).has_densities for name in names] == [True, True, False, True]
    assert [find_estimator(name).has_components for name in names] == [True, True, True, False]


def test_variants_are_what_they_are_variants_of() -> None:
    assert find_estimator("sbi.trees") == replace(find_estimator("sbi"), name="sbi.trees")
    assert [family_of(name) for name in ("sbi.trees", "sbi", "mem", "mem.a", "sbi.")] == [
        "sbi", "sbi", "mem", "mem.a", "sbi.",
    ]  # fmt: skip
    assert is_estimator("sbi.trees")
    assert not any(is_estimator(name) for name in ("mem.a", "sbi.", "trees", ".trees"))
    with pytest.raises(InferenceError, match=r"there is no estimator 'mem\.a'"):
        find_estimator("mem.a")


def test_another_package_brings_one(installed: None) -> None:
    assert estimator_names()[4:] == ("gone", "mine", "wrong")
    assert find_estimator("mine") is MINE
    config = InferenceConfig(source="mine")
    assert config.reads_coefficients


def test_what_is_not_there_or_is_none(installed: None) -> None:
    with pytest.raises(InferenceError, match="no estimator 'nn'; known: mem, classical, truth"):
        find_estimator("nn")
    with pytest.raises(InferenceError, match="must name an EstimatorEntry 'wrong'"):
        find_estimator("wrong")
    with pytest.raises(InferenceError, match="cannot be loaded"):
        find_estimator("gone")


def test_a_misspelt_source_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no estimator 'clasical'.*classical"):
        InferenceConfig(source="clasical")
