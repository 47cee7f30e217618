import json
from pathlib import Path

import numpy as np
import pytest
from tests.inference.calibration.test_each_ratio import toy

from partonic.errors import EventFileError
from partonic.inference.calibration.calibration_file import read_calibration, write_calibration
from partonic.inference.calibration.each_ratio import fit_calibration
from partonic.inference.calibration.joint_calibration import fit_joint_calibration
from partonic.pretrained import pretrained_folder


@pytest.mark.parametrize("fit", [fit_calibration, fit_joint_calibration])
def test_written_and_read(fit, rng: np.random.Generator, tmp_path: Path) -> None:
    events, weights, _ = toy(rng, 400)
    found = fit(events, weights)
    write_calibration(tmp_path / "calibration.json", found)
    again = read_calibration(tmp_path / "calibration.json")
    assert type(again) is type(found)
    assert again.to_json() == found.to_json()
    np.testing.assert_array_equal(again.apply(events).ratios, found.apply(events).ratios)


def test_the_one_that_ships_is_read() -> None:
    found = read_calibration(pretrained_folder("tth") / "mem" / "calibration.json")
    assert found.monomials.parameters == ("delta_kappa_t", "kappa_tilde_t", "c_tG")


def test_what_is_no_calibration_is_refused(rng: np.random.Generator, tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    with pytest.raises(EventFileError, match="cannot read the calibration"):
        read_calibration(path)
    for content in ("{}", "[]", "nothing", '{"format": 3}'):
        path.write_text(content)
        with pytest.raises(EventFileError, match="is no calibration of coefficients"):
            read_calibration(path)
    write_calibration(path, fit_joint_calibration(*toy(rng, 400)[:2]))
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(EventFileError, match="is no calibration of coefficients"):
        read_calibration(path)
    damaged = json.loads(whole)
    del damaged["covariance"]
    path.write_text(json.dumps(damaged))
    with pytest.raises(EventFileError, match=r"is no calibration of coefficients \('covariance'\)"):
        read_calibration(path)
