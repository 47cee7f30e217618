"""Intervals from counts in the bins of a template."""

import numpy as np
import pytest
from tests.inference.optimised_template.plane_toy import MONOMIALS, plane

from partonic.config.inference.template import TemplateConfig
from partonic.errors import ParameterError
from partonic.inference.binned.binned_likelihood import asimov_counts, binned_mixture
from partonic.inference.optimised_template.intervals import intervals_of
from partonic.inference.optimised_template.template import BinRules, choose_bins, fill_template


def test_alone_and_profiled(rng: np.random.Generator) -> None:
    events = plane(4_000, rng, luminosity=1.0)
    theta = MONOMIALS.point({"a": 0.4, "b": 0.1})
    templates = fill_template(events, theta, choose_bins(events, theta, BinRules.of(TemplateConfig(theta_star={}))))
    mixture = binned_mixture(templates, ("a", "b"), 1.0)
    found = intervals_of(templates, mixture, ("a", "b"), (0.68, 0.95), asimov_counts(templates, mixture))
    for name in ("a", "b"):
        narrow, wide = found["alone"][name]
        assert narrow["level"] == 0.68
        assert narrow["length"] < wide["length"]
        assert abs(wide["best"]) < 1e-3
        assert found["profiled"][name][1]["length"] >= wide["length"] - 1e-6
    assert found["profiled"]["a"][1]["length"] > 1.2 * found["alone"]["a"][1]["length"]


def test_a_parameter_of_which_nothing_is_known(rng: np.random.Generator) -> None:
    events = plane(1_000, rng)
    events.weights[:, [2, 4, 5]] = 0.0
    theta = MONOMIALS.point({"a": 0.1})
    templates = fill_template(events, theta, choose_bins(events, theta, BinRules.of(TemplateConfig(theta_star={}))))
    mixture = binned_mixture(templates, ("a", "b"), 100.0)
    found = intervals_of(templates, mixture, ("a", "b"), (0.95,), asimov_counts(templates, mixture))["alone"]
    assert isinstance(found["a"], list)
    assert isinstance(found["b"], str) or found["b"][0]["open_below"]
    with pytest.raises(ParameterError, match="unknown theory parameter 'c'"):
        intervals_of(templates, mixture, ("c",), (0.95,), asimov_counts(templates, mixture))
