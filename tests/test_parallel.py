"""Tasks in the calling process and on workers."""

import pytest
import torch

from partonic.config.simulation import SimulationConfig
from partonic.parallel import run_tasks


def on_one_core(number: int) -> int:
    torch.set_num_threads(1)
    if number < 0:
        raise ValueError(number)
    return number * number


def test_tasks_in_the_calling_process_leave_its_threads() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        results = run_tasks(on_one_core, [(number,) for number in range(3)], SimulationConfig(workers=1))
        assert list(results) == [0, 1, 4]
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError, match="-1"):
            list(run_tasks(on_one_core, [(-1,)], SimulationConfig(workers=1)))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
