"""What `check` says of a learned detector."""

from pathlib import Path

import pytest

from partonic.config.analysis import AnalysisConfig
from partonic.errors import ConfigError, EventFileError, ModelError, SchemaError
from partonic.workflow.check import checks_of
from partonic.workflow.checks.surrogate import surrogate_is_ready, surrogate_training_is_ready

_KNOWN: dict[str, object] = {
    "decays": {"higgs": "gammagamma", "tops": "hadronic"},
    "jets": {"pt_min": 25.0, "eta_max": 4.7},
    "selection": {"leptons": 0, "photons": 2, "photon_pt_min": 25.0, "jets_min": 3, "b_tags_min": 1},
    "surrogate": {},
}


def analysis(tmp_path: Path, energy: float = 13600.0, process: str = "thq", **sections: object) -> AnalysisConfig:
    settings = {"name": process, "collider_energy": energy}
    return AnalysisConfig.model_validate({"name": "toy", "output": tmp_path / "out", "process": settings, **sections})


def test_networks_that_ship_are_ready(tmp_path: Path) -> None:
    config = analysis(tmp_path, simulation=_KNOWN)
    assert "learned such events; it takes the place of the shower" in surrogate_is_ready(config)
    subjects = [subject for subject, _ in checks_of(config)]
    assert "surrogate" in subjects
    assert "shower" not in subjects


def test_other_cuts_energies_and_folders_are_told(tmp_path: Path) -> None:
    other = analysis(tmp_path, simulation={**_KNOWN, "jets": {"pt_min": 20.0, "eta_max": 4.7}})
    with pytest.raises(ConfigError, match=r"jet_pt_min: 20\.0, the surrogate knows 25\.0"):
        surrogate_is_ready(other)
    with pytest.raises(SchemaError, match="√S = 13000 GeV, the model knows 13600 GeV"):
        surrogate_is_ready(analysis(tmp_path, 13000.0, simulation=_KNOWN))
    with pytest.raises(ModelError, match="holds no surrogate"):
        surrogate_is_ready(analysis(tmp_path, simulation={**_KNOWN, "surrogate": {"model": tmp_path / "none"}}))


def test_a_process_without_networks_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no pretrained surrogate of 'wz'"):
        surrogate_is_ready(analysis(tmp_path, process="wz", simulation={"surrogate": {}}))


def test_training(tmp_path: Path) -> None:
    missing = analysis(tmp_path, surrogate_training={"stores": [tmp_path / "events.parquet"]})
    with pytest.raises(EventFileError, match=r"mend the key surrogate_training\.stores"):
        surrogate_training_is_ready(missing)
    own = analysis(tmp_path, surrogate_training={"model": {"kind": "flow_matching"}})
    assert surrogate_training_is_ready(own) == "'flow_matching' is trained on the events of this analysis"
    ready = analysis(tmp_path, surrogate_training={"model": {"kind": "transfer"}})
    assert "the networks of pretrained are compared with" in surrogate_training_is_ready(ready)
