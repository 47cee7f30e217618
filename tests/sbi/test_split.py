"""Parts of events: shares as asked for, groups together, the same whatever the order."""

import numpy as np

from partonic.sbi.split import PARTS, parts_of

SHARES = (0.5, 0.1, 0.15, 0.25)


def test_shares_are_those_asked_for():
    number = parts_of(np.arange(40_000), SHARES, 3).number
    for part, share in enumerate(SHARES):
        error = np.sqrt(share * (1 - share) / len(number))
        assert error < 0.003
        assert abs((number == part).mean() - share) < 4 * error


def test_copies_of_one_event_stay_together_in_any_order():
    groups = np.repeat(np.arange(500), 4)
    number = parts_of(groups, SHARES, 1).number
    assert (number.reshape(500, 4) == number[::4, None]).all()
    order = np.random.default_rng(2).permutation(len(groups))
    np.testing.assert_array_equal(parts_of(groups[order], SHARES, 1).number, number[order])


def test_another_seed_parts_otherwise():
    first, second = (parts_of(np.arange(2000), SHARES, seed).number for seed in (1, 2))
    same = np.sum(np.square(SHARES))  # chance of the same part if independent
    assert abs((first == second).mean() - same) < 5 * np.sqrt(same / 2000)


def test_a_share_of_nothing_is_empty_and_names_are_known():
    parts = parts_of(np.arange(3000), (0.9, 0.1, 0.0, 0.0), 1)
    assert not parts.of("calibration").any()
    assert not parts.of("fit").any()
    assert parts.of("train").sum() + parts.of("validation").sum() == 3000
    assert PARTS == ("train", "validation", "calibration", "fit")
