"""Bins of the ratio: what they keep in closed form, and what must be in them."""

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import (
    EXPECTED,
    LUMINOSITY,
    MONOMIALS,
    SCALE,
    kept_by_quantiles,
    plane,
)

from partonic.config.inference.template import TemplateConfig
from partonic.errors import InferenceError
from partonic.inference.optimised_template.backgrounds import BackgroundEvents
from partonic.inference.optimised_template.events import TemplateEvents
from partonic.inference.optimised_template.information import information_kept
from partonic.inference.optimised_template.merit import information_of
from partonic.inference.optimised_template.template import (
    BinRules,
    choose_bins,
    fill_template,
    filled,
    histogram_bins,
    score_of,
)
from partonic.inference.optimised_template.unbinned import UnbinnedEvents

RULES = BinRules.of(TemplateConfig(theta_star={}, bins=8, tail=0.0))
ALONG_A = MONOMIALS.point({"a": 0.05})
DIAGONAL = MONOMIALS.point({"a": 0.05, "b": 0.05 / SCALE})


def test_ratio_is_the_polynomial(rng: np.random.Generator) -> None:
    events = plane(50, rng)
    values = score_of(events, events, DIAGONAL)
    x = events.ratios[:, 1] / 2, events.ratios[:, 2] / (2 * SCALE)
    np.testing.assert_allclose(values, (1 + 0.05 * (x[0] + x[1])) ** 2, rtol=1e-12)


@pytest.mark.parametrize("bins", [2, 4, 8])
def test_bins_keep_what_the_theory_of_binning_says(bins: int, rng: np.random.Generator) -> None:
    """On the axis of a: bins of equal probability of a Gaussian. b is not seen."""
    rules = BinRules.of(TemplateConfig(theta_star={}, bins=bins, tail=0.0))
    events = plane(20_000, rng)
    found = information_of(fill_template(events, ALONG_A, choose_bins(events, ALONG_A, rules)), np.zeros(2), LUMINOSITY)
    assert found[0, 0] == pytest.approx(4 * EXPECTED * kept_by_quantiles(bins), rel=2e-3)
    assert found[1, 1] < 4 * EXPECTED * SCALE**2 * 3e-3


def test_a_direction_shares_the_information(rng: np.random.Generator) -> None:
    events = plane(20_000, rng)
    templates = fill_template(events, DIAGONAL, choose_bins(events, DIAGONAL, RULES))
    kept = information_kept(events, templates, ("a", "b"), LUMINOSITY)
    for name, square in (("a", 1.0), ("b", SCALE**2)):
        assert kept["truth"][name] == pytest.approx(4 * EXPECTED * square, rel=1e-2)
        assert kept["unbinned"][name] == pytest.approx(kept["truth"][name], rel=1e-2)
        # x₁ and x₂ of 20,000 events have a correlation of 0.007
        assert kept["template"][name] == pytest.approx(0.5 * kept_by_quantiles(8) * kept["truth"][name], rel=0.03)
        assert kept["rate"][name] == pytest.approx(0.0, abs=1e-6 * kept["truth"][name])
    assert "template_without_backgrounds" not in kept


def test_tail_makes_bins_fine_where_the_ratio_is_large(rng: np.random.Generator) -> None:
    events = plane(4_000, rng)
    theta = MONOMIALS.point({"a": 0.8})
    plain = choose_bins(events, theta, RULES)
    fine = choose_bins(events, theta, BinRules.of(TemplateConfig(theta_star={}, bins=8, tail=0.8)))
    assert fine.inner[0][-1] > plain.inner[0][-1]
    assert len(fine) == len(plain) == 8


def test_bins_with_too_little_simulation_are_joined(rng: np.random.Generator) -> None:
    """The background is narrow: no bin of the tails may be without it."""
    events = plane(2_000, rng, background=0.1)
    settings = TemplateConfig(theta_star={}, bins=16, tail=0.5, min_events=50, min_background_events=40)
    binning = choose_bins(events, DIAGONAL, BinRules.of(settings))
    place = score_of(events, events, DIAGONAL)
    behind = score_of(events.backgrounds[0], events, DIAGONAL)
    signal = np.bincount(np.searchsorted(binning.inner[0], place, side="right"))
    background = np.bincount(np.searchsorted(binning.inner[0], behind, side="right"))
    assert 2 <= len(binning) < 16
    assert signal.min() >= 50
    assert background.min() >= 40


def test_regions_have_bins_of_their_own(rng: np.random.Generator) -> None:
    events = plane(3_000, rng, regions=3)
    rules = BinRules(("signal", "low", "high"), (4, 1, 2), 0.0, 20, 5)
    binning = choose_bins(events, ALONG_A, rules)
    assert [len(edges) + 1 for edges in binning.inner] == [4, 1, 2]
    templates = fill_template(events, ALONG_A, binning)
    np.testing.assert_allclose(templates.signal.sum(axis=0), events.weights.sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(templates.signal[4], events.weights[events.region == 1].sum(axis=0), atol=1e-12)


def test_events_without_a_ratio_have_a_bin(rng: np.random.Generator) -> None:
    events = plane(2_000, rng)
    events.ratios[:100] = np.nan
    binning = choose_bins(events, ALONG_A, RULES)
    assert binning.unusable
    templates = fill_template(events, ALONG_A, binning)
    np.testing.assert_allclose(templates.signal[-1], events.weights[:100].sum(axis=0))


def test_too_few_events(rng: np.random.Generator) -> None:
    events = plane(30, rng)
    with pytest.raises(InferenceError, match=r"region 'all' .* has 30 simulated signal events .* expected 40 or more"):
        choose_bins(events, ALONG_A, RULES)
    few = plane(60, rng, background=0.1)
    rules = BinRules.of(TemplateConfig(theta_star={}, min_background_events=16))
    with pytest.raises(InferenceError, match=r"has 30 simulated background events .* or lower `min_background_events`"):
        choose_bins(few, ALONG_A, rules)


def test_at_the_standard_model_there_is_one_bin(rng: np.random.Generator) -> None:
    assert len(choose_bins(plane(500, rng), np.zeros(2), RULES)) == 1


def test_background_in_the_ratio(rng: np.random.Generator) -> None:
    """Where background is certain the ratio is 1; where there is none it is that of the signal."""
    events = plane(2_000, rng, background=0.3)
    plain = score_of(events, events, DIAGONAL)
    certain = replace(events, behind=np.full_like(events.behind, 1e6), knows_backgrounds=True)
    np.testing.assert_allclose(score_of(certain, certain, DIAGONAL), 1.0, atol=1e-4)
    free = replace(events, behind=np.zeros_like(events.behind), knows_backgrounds=True)
    np.testing.assert_allclose(score_of(free, free, DIAGONAL), plain)
    knowing = replace(events, knows_backgrounds=True)
    share = 1.0 / (1.0 + events.behind[:, 0])
    np.testing.assert_allclose(score_of(knowing, knowing, DIAGONAL), 1.0 + share * (plain - 1.0))


def test_background_in_the_ratio_makes_a_better_template(rng: np.random.Generator) -> None:
    """More of the information on a small θ is kept: nearly all that the events have, in narrow bins."""
    events = plane(20_000, rng, background=2.0, uncertainty=0.0)
    theta = MONOMIALS.point({"a": 0.05})
    rules = BinRules.of(TemplateConfig(theta_star={}, bins=40, tail=0.0, min_background_events=0))
    kept = []
    for knows in (False, True):
        one = replace(events, knows_backgrounds=knows)
        templates = fill_template(one, theta, choose_bins(one, theta, rules))
        kept.append(information_of(templates, events.standard, LUMINOSITY)[0, 0])
    whole = UnbinnedEvents.of(events).information(LUMINOSITY)[0]
    assert kept[0] < 0.95 * whole
    assert 0.96 * whole < kept[1] < 1.02 * whole


def test_histogram_bins_are_joined(rng: np.random.Generator) -> None:
    """Edges in the tail of the background are left out, and regions of one bin have none."""
    events = plane(4_000, rng, regions=2, background=0.3)
    rules = replace(BinRules.of(TemplateConfig(theta_star={})), names=("signal", "control"), bins=(6, 1))

    def values(one: TemplateEvents | BackgroundEvents) -> np.ndarray:
        return one.ratios[:, 1] / 2.0  # x₁

    binning = histogram_bins(events, values, rules, (-3.0, 0.0, 0.4, 5.0))
    assert binning.inner == ((0.0, 0.4), ())
    templates = filled(events, values, binning)
    assert len(templates.binning) == 4
    assert templates.signal[:3, 0].sum() == pytest.approx(events.weights[events.region == 0, 0].sum())
    assert (templates.backgrounds[0].cross_sections > 0).all()


def test_copies_count_once(rng: np.random.Generator) -> None:
    """Four copies of each background event: a bin of 180 events has 45 parton events, too few."""
    events = plane(4_000, rng, background=0.3)
    other = events.backgrounds[0]
    rules = replace(BinRules.of(TemplateConfig(theta_star={})), min_events=1, min_background_events=100)

    def values(one: TemplateEvents | BackgroundEvents) -> np.ndarray:
        return one.ratios[:, 1] / 2.0

    edges = (-0.3, 0.0, 0.4)  # about 320, 680, 820 and 180 of 2,000 events of the background
    assert histogram_bins(events, values, rules, edges).inner == (edges,)
    copies = replace(events, backgrounds=(replace(other, parton_event=np.arange(2_000) // 4),))
    assert histogram_bins(copies, values, rules, edges).inner == ((0.0,),)
