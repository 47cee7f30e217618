from pathlib import Path

import pytest
from pydantic import Field, model_validator

from partonic.config.base import SettingError, StrictModel
from partonic.config.loader import load_config
from partonic.config.names import nearest
from partonic.errors import ConfigError


class Jets(StrictModel):
    radius: float = Field(0.4, gt=0)
    minimum_pt: float = 30.0


class Shower(StrictModel):
    events: int = 10
    jets: Jets = Jets()
    theta: dict[str, float] = Field(default_factory=dict)
    alternatives: tuple[Jets | int, ...] = ()

    @model_validator(mode="after")
    def _known_parameters(self) -> "Shower":
        for name in self.theta:
            if name != "c_tG":
                raise SettingError(("theta", name), f"unknown parameter '{name}'; {nearest(name, ['c_tG'])}")
        return self


class Analysis(StrictModel):
    name: str
    shower: Shower = Shower()
    import_: Jets | None = Field(None, alias="import")


def load(folder: Path, text: str) -> Analysis:
    path = folder / "analysis.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, Analysis)


def test_valid_file(tmp_path: Path) -> None:
    config = load(tmp_path, "name: x\nshower: {events: 5, theta: {c_tG: 1e-2}}\nimport: {radius: 0.8}\n")
    assert config.shower.events == 5
    assert config.shower.theta == {"c_tG": 0.01}
    assert config.import_ == Jets(radius=0.8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: x\nshower:\n  evnts: 5\n",
            r"analysis\.yaml:3: shower\.evnts: unknown key 'evnts'; did you mean 'events'\? "
            r"Known: alternatives, events, jets, theta$",
        ),
        (
            "name: x\nshower:\n  jets:\n    radius: 0.4\n    min_pt: 5\n",
            r"analysis\.yaml:5: shower\.jets\.min_pt: .*'minimum_pt'",
        ),
        ("name: x\nevents: 5\n", r"analysis\.yaml:2: events: unknown key 'events'; it exists as shower\.events\."),
        ("name: x\nimport: {radis: 1}\n", r"analysis\.yaml:2: import\.radis: .* did you mean 'radius'"),
        ("name: x\nimprt: {}\n", r"did you mean 'import'\?"),
        ("shower: {}\n", r"analysis\.yaml:1: name: this key is missing"),
        (
            "name: x\nshower:\n  events: many\n",
            r"analysis\.yaml:3: shower\.events: input should be a valid integer.*got 'many'",
        ),
        (
            "name: x\nshower: {jets: {radius: -1}}\n",
            r"analysis\.yaml:2: shower\.jets\.radius: .*greater than 0, got -1",
        ),
        ("name: x\nshower: {jets: {radius: .nan}}\n", r"shower\.jets\.radius: .*finite number, got nan"),
        ("name: x\nshower: 3\n", r"analysis\.yaml:2: shower: input should be .*got 3"),
        (
            "name: x\nshower:\n  theta:\n    ctG: 1.0\n",
            r"analysis\.yaml:4: shower\.theta\.ctG: unknown parameter 'ctG'; did you mean 'c_tG'\? Known: c_tG$",
        ),
        (
            "name: x\nshower:\n  alternatives:\n    - 3\n    - {radis: 1}\n",
            r"analysis\.yaml:5: shower\.alternatives\.1\.radis: unknown key",
        ),
    ],
)
def test_bad_value(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_all_problems_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "name: [x]\nshower:\n  events: no\n  evnts: 1\n")
    lines = str(caught.value).splitlines()
    assert [line.partition("analysis.yaml:")[2].split(" ")[0] for line in lines] == ["1:", "3:", "4:"]


def test_nearest() -> None:
    assert nearest("kapa_tilde_t", ["kappa_tilde_t", "c_tG"]) == (
        "did you mean 'kappa_tilde_t'? Known: c_tG, kappa_tilde_t"
    )
    assert nearest("zzz", ["a"]) == "Known: a"
    assert nearest("zzz", []) == "Known: none"
