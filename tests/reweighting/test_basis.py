import numpy as np
import pytest
from tests.reweighting.conftest import own_process

from partonic.config.reweighting import ReweightConfig
from partonic.errors import ConfigError, ParameterError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials
from partonic.reweighting.basis import Basis, basis_of


def config(**changes):
    section = {"engine": "ufoamp", "model": "model", "parameters": {"a": "A", "b": "B"}}
    return ReweightConfig.model_validate(section | changes)


def metadata(parameters=(), **facts):
    return StoreMetadata.for_process(own_process(parameters), **facts)


def test_points_of_the_basis_determine_the_monomials_and_checks_are_others():
    basis = Basis(Monomials.up_to_degree(("a", "b", "c"), 2), {}, {"b": 0.1}, 5)
    assert basis.points.shape == (10, 3)
    assert np.linalg.matrix_rank(basis.monomials.evaluate(basis.points)) == 10
    sizes = np.array([1.0, 0.1, 1.0])
    assert np.abs(basis.points / sizes).max() <= 1.0
    assert basis.checks.shape == (5, 3)
    assert np.abs(basis.checks / sizes).max() <= 1.5
    distance = np.abs(basis.checks[:, None] / sizes - np.concatenate([basis.points, basis.checks]) / sizes).max(axis=-1)
    assert np.sort(distance, axis=1)[:, 1].min() > 0.1  # the nearest is the point itself
    assert (np.abs(basis.checks) > 0.01 * sizes).all()


def test_monomials_are_those_of_the_events_or_of_the_settings():
    assert basis_of(config(), metadata(), "s").monomials == Monomials.up_to_degree(("a", "b"), 2)
    assert basis_of(config(degree=4), metadata(), "s").monomials == Monomials.up_to_degree(("a", "b"), 4)
    reversed_order = basis_of(config(), metadata(("b", "a")), "s")
    assert reversed_order.monomials == Monomials.up_to_degree(("b", "a"), 2)
    assert basis_of(config(degree=2), metadata(("x", "y")), "s").monomials.parameters == ("a", "b")
    with pytest.raises(ConfigError, match=r"s has the parameters x, y, but .* has a, b"):
        basis_of(config(), metadata(("x", "y")), "s")


def test_theta_of_the_generation():
    assert basis_of(config(), metadata(), "s").generation.tolist() == [0.0, 0.0]
    assert basis_of(config(), metadata(), "s", {"b": 2.0}).generation.tolist() == [0.0, 2.0]
    at = metadata(("a", "b"), theta={"a": 0.5})
    assert basis_of(config(), at, "s").generation.tolist() == [0.5, 0.0]
    assert basis_of(config(), at, "s", {"a": 0.5}).theta == {"a": 0.5}
    with pytest.raises(ConfigError, match="leave θ out"):
        basis_of(config(), at, "s", {"b": 1.0})
    with pytest.raises(ParameterError, match="unknown theory parameter 'c'"):
        basis_of(config(), metadata(), "s", {"c": 1.0})


def test_the_standard_model_need_not_be_at_zero():
    """tHq has (κ_e, κ_o) = (1, 0)."""
    monomials = Monomials.up_to_degree(("kappa_e", "kappa_o"), 2)
    info = ProcessInfo("thq", ("H", "t", "q"), (25, 6, 1), monomials, 13_000.0)
    settings = config(parameters={"kappa_e": "A", "kappa_o": "B"})
    assert basis_of(settings, StoreMetadata.for_process(info), "s").generation.tolist() == [1.0, 0.0]
    given = basis_of(settings, StoreMetadata.for_process(info), "s", {"kappa_o": 0.5})
    assert given.generation.tolist() == [1.0, 0.5]
    stated = StoreMetadata.for_process(info, theta={"kappa_e": -1.0})
    assert basis_of(settings, stated, "s").generation.tolist() == [-1.0, 0.0]
