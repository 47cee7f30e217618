import unicodedata

import pytest

from partonic.config.process import parameter_names
from partonic.parameter_names import encoding_has_symbols, parameter_text, with_symbols
from partonic.processes.tth.settings import TthConfig


def test_names_of_the_processes_are_written_as_physicists_do() -> None:
    assert [parameter_text(name) for name in parameter_names(TthConfig())] == ["δκ_t", "κ\N{COMBINING TILDE}_t", "c_tG"]


@pytest.mark.parametrize("name", ["delta_kappa_t", "kappa_tilde_t", "c_tG"])
def test_ascii_is_the_name(name: str) -> None:
    assert parameter_text(name, unicode=False) == name
    assert not any(unicodedata.name(letter).startswith("GREEK") for letter in parameter_text(name, unicode=False))


def test_unknown_name_stays() -> None:
    assert parameter_text("c_HG") == "c_HG"
    assert with_symbols("c_HG = 3") == "c_HG = 3"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("kappa_tilde_t = 0.3 ± 0.1", "κ̃_t = 0.3 ± 0.1"),
        ("(delta_kappa_t, kappa_tilde_t, c_tG)", "(δκ_t, κ̃_t, c_tG)"),
        ("slope of kappa_tilde_t^2 and kappa_tilde_t c_tG^12.", "slope of κ̃_t² and κ̃_t c_tG¹²."),
        ("kappa_tilde_t.", "κ̃_t."),
        ("runs/kappa_tilde_t/a.json", "runs/kappa_tilde_t/a.json"),
        ("kappa_tilde_t.json", "kappa_tilde_t.json"),
        ("my_kappa_tilde_t kappa_tilde_top", "my_kappa_tilde_t kappa_tilde_top"),
        ("scan-kappa_tilde_t-1", "scan-kappa_tilde_t-1"),
    ],
)
def test_names_within_a_text(text: str, written: str) -> None:
    assert with_symbols(text) == written
    assert with_symbols(text, unicode=False) == text


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("UTF8", True), ("ascii", False), ("latin-1", False), ("", False)]
)
def test_what_an_encoding_can_show(encoding: str, can: bool) -> None:
    assert encoding_has_symbols(encoding) is can


def test_encoding_that_is_not_known() -> None:
    assert not encoding_has_symbols(None)
    assert not encoding_has_symbols("no-such-encoding")
