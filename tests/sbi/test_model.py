"""The model folder."""

import numpy as np
import pytest
from tests.sbi.toy_events import train

from partonic.errors import ModelError
from partonic.sbi.gaussian_toy import GaussianToy
from partonic.sbi.model import SbiModel
from partonic.trained.model_folder import save_model

QUICK = {"training": {"epochs": 1, "batch_size": 256}, "network": {"hidden": [8], "members": 2}}


@pytest.mark.parametrize("method", ["derivatives", "morphing", "rascal"])
def test_a_loaded_model_says_the_same(method, tmp_path):
    model = train(GaussianToy(), 2_000, (-1.0, 0.0, 1.0), tmp_path, method=method, **QUICK).model
    loaded = SbiModel.load(tmp_path)
    assert loaded.record == model.record
    x = np.linspace(-2, 4, 30)[:, None]
    np.testing.assert_array_equal(loaded.targets(x), model.targets(x))
    assert loaded.targets(x).shape == (2, 30, 3)
    np.testing.assert_array_equal(loaded.targets(x)[..., 0], 1.0)
    assert loaded.targets(x[:0]).shape == (2, 0, 3)
    assert (loaded.residual(x) is None) == (method != "rascal")
    far = loaded.outside(np.array([[0.0], [50.0]]))
    assert far[0] == 0.0
    assert far[1] > 10.0


def test_another_model_is_refused(tmp_path):
    save_model(tmp_path, {}, {"what": "something else"})
    with pytest.raises(ModelError, match="no estimator of simulation-based inference"):
        SbiModel.load(tmp_path)
    with pytest.raises(ModelError, match="holds no trained model"):
        SbiModel.load(tmp_path / "nothing")
