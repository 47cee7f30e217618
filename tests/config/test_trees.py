import pytest
from pydantic import ValidationError

from partonic.config.trees import TreeSettings


def test_defaults_are_valid_and_survive_json():
    settings = TreeSettings(base_points=((1.0, 0.0), (0.0, 1.0)), loss="cross_entropy", held_out=0.2, patience=5)
    assert TreeSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "cross_entropy"}, "give base_points"),
        ({"target_weights": (1.0, -1.0)}, "must be ≥ 0 and not all 0"),
        ({"target_weights": (0.0, 0.0)}, "must be ≥ 0 and not all 0"),
        ({"bins": 256}, "less than or equal to 255"),
        ({"learning_rate": 0.0}, "greater than 0"),
        ({"learning_rates": 0.1}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense(changes, message):
    with pytest.raises(ValidationError, match=message):
        TreeSettings(**changes)
