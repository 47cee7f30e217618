from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mem.transfer.toys import LAYOUTS, PROCESS, tiny_acceptance, tiny_transfer
from partonic.errors import ModelError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.mem.acceptance.model import AcceptanceModel
from partonic.mem.transfer.transfer_function import TransferFunction


def test_written_and_read(tmp_path: Path) -> None:
    transfer = tiny_transfer(LAYOUTS["dilepton"])
    TransferFunction(transfer.network, transfer.schema, {"events": 7}).save(tmp_path)
    found = TransferFunction.load(tmp_path)
    assert (found.layout, found.schema, found.record) == (LAYOUTS["dilepton"], transfer.schema, {"events": 7})
    assert found.network.config == transfer.network.config
    for name, values in transfer.network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], values)
    with pytest.raises(ModelError, match="is no acceptance: its record lacks or misstates"):
        AcceptanceModel.load(tmp_path)


def test_another_process_is_no_difference_but_another_collider_is() -> None:
    acceptance = tiny_acceptance(LAYOUTS["dilepton"])
    acceptance.check(StoreMetadata.for_process(replace(PROCESS, name="other")), "here")
    with pytest.raises(SchemaError, match="here does not hold events such as the model was trained on"):
        acceptance.check(StoreMetadata.for_process(replace(PROCESS, collider_energy=7000.0)), "here")
