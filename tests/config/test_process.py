"""The section `process`."""

import pytest
from pydantic import ValidationError

from partonic.config.process import ProcessConfig, parameter_names
from partonic.events.schema import ProcessInfo


def test_ttbb_has_no_parameters_and_four_partons() -> None:
    config = ProcessConfig(name="ttbb")
    assert parameter_names("ttbb") == ()
    info = ProcessInfo.of_config(config)
    assert info.parton_names == ("t", "tbar", "b", "bbar")
    assert info.parton_pdg == (6, -6, 5, -5)
    assert info.monomials.names == ("1",)


def test_bottom_mass_shows_only_where_it_is_chosen() -> None:
    """Events of ttH made by a version without this option stay up to date."""
    assert "bottom_mass" not in ProcessConfig().model_dump(mode="json")
    chosen = ProcessConfig(name="ttbb", bottom_mass=4.92)
    assert ProcessConfig.model_validate(chosen.model_dump(mode="json")) == chosen


def test_unknown_process() -> None:
    with pytest.raises(ValidationError, match="'tth' or 'ttbb'"):
        ProcessConfig.model_validate({"name": "ttcc"})
