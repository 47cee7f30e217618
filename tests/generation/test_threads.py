"""One thread inside the block, as many as before after it, whatever happens."""

import pytest
import torch

from partonic.generation.threads import one_thread


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(KeyError, match="inside: 1"):
            _fail_inside()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def _fail_inside() -> None:
    with one_thread():
        raise KeyError(f"inside: {torch.get_num_threads()}")
