"""The section `sbi`."""

import pytest
from pydantic import ValidationError

from partonic.config.sbi import SbiConfig


def test_shares_sum_to_one_and_presets_fill_in():
    config = SbiConfig.model_validate({"preset": "tiny", "network": {"members": 7}})
    assert config.network.members == 7
    assert config.network.hidden == (16, 16)
    assert sum(config.parts()) == pytest.approx(1.0)
    assert config.parts()[1] == pytest.approx(0.2 * 0.5)
    assert config.parts()[3] == pytest.approx(0.4)


def test_with_stores_of_their_own_no_event_is_kept_for_the_fit():
    assert SbiConfig.model_validate({"stores": ["a.parquet"]}).parts()[3] == 0.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"shares": {"fit": 0.7, "calibration": 0.3}}, "nothing is left to train on"),
        ({"method": "trees", "trees": {"held_out": 0.3}}, "validation_fraction` sets this part: leave it out"),
        ({"range": {"a": [1.0, 1.0]}}, "the range must ascend"),
        ({"method": "magic"}, "derivatives"),
        ({"reference": []}, "at least 1 item"),
        ({"features": []}, "at least 1 item"),
        ({"method": "sally", "reference": [{}, {"a": 1.0}]}, "learns the score at one point: expected one, got 2"),
        ({"method": "sally", "score": {"direction": {"a": 1.0}}}, "only `sallino` has a direction"),
        ({"method": "alice", "network": {"error": "laplace"}}, "`laplace` is for `method: derivatives`"),
        ({"method": "morphing", "morphing": {"joint": True}, "network": {"error": "laplace"}}, "without `joint`"),
        ({"network": {"error": "laplace", "bootstrap": True}}, "use `error: ensemble`"),
    ],
)
def test_what_makes_no_sense_is_refused(content, message):
    with pytest.raises(ValidationError, match=message):
        SbiConfig.model_validate(content)


def test_machine_settings_are_no_part_of_what_is_learned():
    assert SbiConfig().learning() == SbiConfig.model_validate({"workers": 3, "batch_events": 7}).learning()
    assert SbiConfig().learning() != SbiConfig.model_validate({"method": "rascal"}).learning()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"network": {"bootstrap": True, "members": 1}}, "one member has no scatter"),
        ({"features": ["high_level", "sbi.trees:ratios"]}, "'sbi.trees:ratios': coefficients of a variant"),
    ],
)
def test_settings_that_could_tell_nothing(settings, message):
    with pytest.raises(ValueError, match=message):
        SbiConfig.model_validate(settings)
