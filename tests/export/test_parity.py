"""The check that a file says what the model says must be able to fail."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from partonic.errors import ModelError
from partonic.export.parity import check_parity, deviation, run_onnx


def scaling(factor: float, operator: str = "Mul") -> ModelProto:
    """A file that gives y = factor · x."""
    constant = helper.make_tensor("factor", TensorProto.DOUBLE, [], [factor])
    x, y = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["events", 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node(operator, ["x", "factor"], ["y"])], "g", [x], [y], [constant])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_a_file_that_deviates_is_refused() -> None:
    x = np.array([[1.0, -2.0], [3.0, 4.0]])
    assert check_parity(scaling(2.0), {"x": x}, {"y": 2 * x}) == 0.0
    assert check_parity(scaling(2.0 + 2e-6), {"x": x}, {"y": 2 * x}) == pytest.approx(1e-6, rel=1e-3)
    with pytest.raises(ModelError, match=r"'y' deviates by 0\.001, at most 0\.0001"):
        check_parity(scaling(2.002), {"x": x}, {"y": 2 * x})


def test_what_cannot_be_run_is_refused() -> None:
    with pytest.raises(ModelError, match="ONNX Runtime cannot run"):
        run_onnx(scaling(2.0, "NoSuchOperator"), {"x": np.zeros((1, 2))})
    with pytest.raises(ModelError, match="ONNX Runtime cannot run"):
        run_onnx(scaling(2.0), {"x": np.zeros((1, 3))})


def test_deviations_are_in_units_of_the_place() -> None:
    expected = np.array([[1e6, 1.0], [1e6, 0.0], [1e6, -1.0]])
    found = expected + np.array([[0.0, 0.0], [0.0, 1e-3], [10.0, 0.0]])
    assert deviation(found, expected) == pytest.approx(1e-3 / np.sqrt(2 / 3))
    rounding = np.array([[1.0, 1e-16], [2.0, -1e-16]])
    assert deviation(rounding * np.array([1.0, -1.0]), rounding) < 1e-6
    assert deviation(np.zeros((0, 2)), np.zeros((0, 2))) == 0.0
    assert deviation(np.zeros(3), np.zeros(3)) == 0.0


def test_nan_must_be_nan_in_both() -> None:
    one, two = np.array([1.0, np.nan]), np.array([1.0, 1.0])
    assert deviation(one, one) == 0.0
    assert deviation(one, two) == np.inf
    assert deviation(two, one) == np.inf
    assert deviation(two, np.ones((2, 1))) == np.inf
