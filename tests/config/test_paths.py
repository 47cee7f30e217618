from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from partonic.config.paths import LocalPath, NameOrPath, expanded


class Settings(BaseModel):
    store: LocalPath = Path()
    model: NameOrPath = "pretrained"


def test_home_and_variables(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("RUNS", "/data")
    settings = Settings(store="~/a.parquet", model="$RUNS/model")
    assert settings.store == Path("/home/me/a.parquet")
    assert settings.model == "/data/model"
    assert Settings(model="pretrained").model == "pretrained"
    assert expanded(Path("${RUNS}/x")) == Path("/data/x")
    assert expanded("plain/x") == "plain/x"


def test_variables_that_are_not_set(monkeypatch):
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(ValidationError, match=r"the environment variable \$NOT_THERE is not set"):
        Settings(store="$NOT_THERE/a.parquet")
    with pytest.raises(ValueError, match=r"\$\{NOT_THERE\} is not set"):
        expanded("${NOT_THERE}/a")
