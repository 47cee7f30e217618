from dataclasses import replace
from pathlib import Path

import pytest

from mem.transfer.toys import LAYOUTS, PROCESS, TINY, tiny_transfer
from partonic.config.mem_transfer import AcceptanceConfig, TransferConfig
from partonic.errors import ModelError, SchemaError
from partonic.events.schema import StoreMetadata
from partonic.mem.trained_part import PartRecord, check_detector, read_part, write_part
from partonic.trained.schema_record import SchemaRecord

SCHEMA = SchemaRecord.of(PROCESS)


def test_written_and_read(tmp_path: Path) -> None:
    layout = LAYOUTS["dilepton"]
    record = PartRecord(TINY, layout, SCHEMA, {"events": 7})
    write_part(tmp_path, tiny_transfer(layout).network, record)
    assert read_part(tmp_path, TransferConfig, "transfer function") == record
    with pytest.raises(ModelError, match="is no acceptance: its record lacks or misstates"):
        read_part(tmp_path, AcceptanceConfig, "acceptance")


def test_another_process_is_no_difference_but_another_collider_is() -> None:
    other = replace(PROCESS, name="other")
    check_detector(SCHEMA, StoreMetadata.for_process(other), "here")
    with pytest.raises(SchemaError, match="here does not hold events such as the model was trained on"):
        check_detector(SCHEMA, StoreMetadata.for_process(replace(other, collider_energy=7000.0)), "here")
