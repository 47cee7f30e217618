import pytest
import torch

from partonic.config.reweighting import ModelParameter
from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.reweighting.theta_element import ThetaElement, check_neighbours


class Recorded:
    """A matrix element that only remembers its parameters."""

    particles = (21, 21, 6, -6)
    colour_flows = ()

    def __init__(self):
        self.parameters = {"aS": 0.118, "c1": 0.3, "c2": 0.4, "MT": 172.5}

    def set_parameters(self, values):
        for name, value in values.items():
            if name not in self.parameters:
                raise ParameterError(f"no parameter {name}")
            self.parameters[name] = value

    def squared(self, momenta):
        return momenta[:, 0, 0] * self.parameters["c1"]

    def flow_squared(self, momenta):
        msg = "none"
        raise ProcessError(msg)


FOLLOWERS = {"a": (ModelParameter(name="c1", factor=-2.0, offset=1.0),), "b": (ModelParameter(name="c2"),)}


def test_parameters_of_the_model_follow():
    model = Recorded()
    element = ThetaElement(model, FOLLOWERS, "aS")
    assert isinstance(element, SquaredMatrixElement)
    assert model.parameters == {"aS": 0.118, "c1": 1.0, "c2": 0.0, "MT": 172.5}
    element.set_parameters({"a": 0.5})
    element.set_parameters({"b": 3.0, "aS": 0.1})
    assert model.parameters == {"aS": 0.1, "c1": 0.0, "c2": 3.0, "MT": 172.5}
    assert element.parameters == {"a": 0.5, "b": 3.0, "aS": 0.1}
    assert element.particles == model.particles
    assert element.squared(torch.ones(2, 4, 4)).tolist() == [0.0, 0.0]
    with pytest.raises(ProcessError):
        element.flow_squared(torch.ones(2, 4, 4))


def test_without_a_strong_coupling_it_is_left_alone():
    element = ThetaElement(Recorded(), FOLLOWERS, None)
    assert element.parameters == {"a": 0.0, "b": 0.0}
    with pytest.raises(ParameterError, match="'aS' is no θ"):
        element.set_parameters({"aS": 0.2})


def test_what_the_model_lacks():
    with pytest.raises(ParameterError, match=r"no parameter 'alphas' for α_s; it has: MT, aS.*strong_coupling"):
        ThetaElement(Recorded(), FOLLOWERS, "alphas")
    with pytest.raises(ParameterError, match="no parameter c3"):
        ThetaElement(Recorded(), {"a": (ModelParameter(name="c3"),)}, None)


def test_coefficients_that_nobody_mentioned():
    blocks = {"c1": "DIM6", "c2": "DIM6", "MT": "MASS"}
    values = {"c1": 0.1, "c2": 0.2, "MT": 172.5}
    only = {"a": FOLLOWERS["a"]}
    with pytest.raises(ParameterError, match=r"not zero: \{c2: 0.2\}"):
        check_neighbours(values, blocks, only, {})
    check_neighbours(values, blocks, only, {"c2": 0.2})
    check_neighbours(values | {"c2": 0.0}, blocks, only, {})
    check_neighbours(values, blocks, FOLLOWERS, {})
    check_neighbours(values, {}, only, {})
