import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from partonic.workflow.doctor.extras import EXTRA_PURPOSES, Extra, installed_extras, missing_dependencies, requirements

REQUIRES = [
    "click>=8.1", "nosuchneeded", "torch>=2.4", 'madnis>=1.0; extra == "generation"',
    "nosuchextra [fast] ~=1; python_version > '3' and extra == 'generation'", 'nosuchthing; extra == "new"',
    'partonic[generation,new]; extra == "all"',
]  # fmt: skip


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIRES)


def test_requirements_by_extra(required: None) -> None:
    assert requirements() == {
        "": ("click", "nosuchneeded", "torch"),
        "generation": ("madnis", "nosuchextra"),
        "new": ("nosuchthing",),
    }


def test_what_is_missing(required: None) -> None:
    assert missing_dependencies() == ("nosuchneeded",)
    assert installed_extras() == (
        Extra("generation", EXTRA_PURPOSES["generation"], ("nosuchextra",)),
        Extra("new", "see docs/explanation/dependencies.md", ("nosuchthing",)),
    )


def test_package_without_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: None)
    assert requirements() == {}
    assert missing_dependencies() == ()


def test_every_extra_says_what_it_is_for(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]) == {*EXTRA_PURPOSES, "all"}
