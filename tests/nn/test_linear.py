import pytest
import torch
from torch import Tensor, nn

from partonic.nn import linear as module
from partonic.nn.linear import is_fused, linear


@pytest.fixture
def layer() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(7, 5)


def inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("shape", [(11, 7), (3, 4, 7), (7,), (0, 7), (2, 0, 7)], ids=str)
def test_equal_to_the_layer(layer: nn.Linear, shape: tuple[int, ...], relu: bool) -> None:
    given = inputs(*shape)
    expected = layer(given)
    with torch.no_grad():
        found = linear(layer, given, relu=relu)
    torch.testing.assert_close(found, torch.relu(expected) if relu else expected, rtol=1e-5, atol=1e-6)


def test_rows_that_lie_apart_in_memory(layer: nn.Linear) -> None:
    columns = inputs(7, 11)
    with torch.no_grad():
        torch.testing.assert_close(linear(layer, columns.t()), layer(columns.t().contiguous()), rtol=1e-5, atol=1e-6)
        repeated = columns[:, :1].t().expand(6, -1)
        torch.testing.assert_close(linear(layer, repeated), layer(repeated), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("relu", [False, True])
def test_nan_stays_nan(layer: nn.Linear, relu: bool) -> None:
    given = inputs(3, 7)
    given[1, 2] = torch.nan
    with torch.no_grad():
        found = linear(layer, given, relu=relu)
    assert found.isnan().all(dim=1).tolist() == [False, True, False]
    assert not bool(found[[0, 2]].isnan().any())


def test_gradients_where_they_are_enabled(layer: nn.Linear) -> None:
    given = inputs(11, 7).requires_grad_()
    assert not is_fused(given)
    linear(layer, given, relu=True).sum().backward()
    first = given.grad
    given.grad = None
    torch.relu(layer(given)).sum().backward()
    assert torch.equal(first, given.grad)


def test_other_arithmetic_and_missing_operator(layer: nn.Linear, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.no_grad():
        exact = linear(layer.double(), inputs(3, 7).double())
        assert exact.dtype == torch.float64
        monkeypatch.setattr(module, "_FUSED", None)
        given = inputs(3, 7)
        assert not is_fused(given)
        torch.testing.assert_close(linear(layer.float(), given).double(), exact, rtol=1e-5, atol=1e-6)


def test_an_operator_of_another_kind_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(*_: object) -> Tensor:
        message = "unknown operator"
        raise RuntimeError(message)

    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", other)
    assert module._fused() is None
    monkeypatch.setattr(torch.ops.mkldnn, "_linear_pointwise", lambda *_: torch.ones(1, 1))
    assert module._fused() is None
