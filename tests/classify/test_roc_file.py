import json
from pathlib import Path

import numpy as np
import pytest

from partonic.classify.roc import RocCurve, roc_curve
from partonic.classify.roc_file import Discrimination, read_discrimination, write_discrimination
from partonic.errors import EventFileError, ParameterError, SchemaError


@pytest.fixture
def curve(rng: np.random.Generator) -> RocCurve:
    return roc_curve("MEM", (rng.normal(1, 1, 200), np.ones(200)), (rng.normal(0, 1, 100), np.ones(100)), rng)


def test_what_is_read_is_what_was_written(tmp_path: Path, curve: RocCurve) -> None:
    path = tmp_path / "mem" / "discriminant.json"
    write_discrimination(path, Discrimination("tth", "ttbb", (200, 100), (curve, curve), {"k": 0.3}))
    found = read_discrimination(path)
    assert (found.signal, found.background, found.events, found.facts) == ("tth", "ttbb", (200, 100), {"k": 0.3})
    assert found.curves[1].auc == curve.auc
    np.testing.assert_array_equal(found.curves[0].signal_efficiency, curve.signal_efficiency)
    np.testing.assert_array_equal(found.curves[0].background_efficiency, curve.background_efficiency)
    assert found.curves[0].background_at(0.5) == curve.background_at(0.5)


def test_a_file_without_curves_is_not_written() -> None:
    with pytest.raises(ParameterError, match="needs one curve or more"):
        Discrimination("tth", "ttbb", (1, 1), ())


def test_files_that_cannot_be_read(tmp_path: Path, curve: RocCurve) -> None:
    path = tmp_path / "discriminant.json"
    with pytest.raises(EventFileError, match="cannot read the ROC curves"):
        read_discrimination(path)
    path.write_text("{")
    with pytest.raises(EventFileError, match="is damaged"):
        read_discrimination(path)
    path.write_text("[]")
    with pytest.raises(SchemaError, match="is no file of ROC curves"):
        read_discrimination(path)
    write_discrimination(path, Discrimination("tth", "ttbb", (200, 100), (curve,)))
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"format": 99}))
    with pytest.raises(SchemaError, match="has format 99"):
        read_discrimination(path)
    content["curves"][0]["signal_efficiency"].append(1.0)
    path.write_text(json.dumps(content))
    with pytest.raises(SchemaError, match="expected two equal lengths"):
        read_discrimination(path)
