import re

import pytest

from partonic.errors import SchemaError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.processes.tth.settings import TthConfig
from partonic.trained.schema_record import SchemaRecord

TTH = ProcessInfo.of_config(TthConfig())


@pytest.fixture
def record() -> SchemaRecord:
    return SchemaRecord.of(TTH)


def test_events_of_the_same_kind_are_taken(record: SchemaRecord) -> None:
    record.check(StoreMetadata.for_process(TTH, weight_names=("scale_up",)), "events.parquet")


def test_data_without_partons_are_taken(record: SchemaRecord) -> None:
    data = StoreMetadata(process="tth", parton_names=(), parton_pdg=(), collider_energy=13000.0)
    record.check(data, "data.parquet")


def test_everything_that_differs_is_named(record: SchemaRecord) -> None:
    columns = {name: text for name, text in record.columns.items() if name != "met_phi"} | {"jet_pt": "list [MeV]"}
    other = record.model_copy(update={"columns": columns, "fingerprint": "0" * 64})
    metadata = StoreMetadata(process="ttz", parton_names=(), parton_pdg=(), collider_energy=14000.0)
    with pytest.raises(SchemaError) as caught:
        other.check(metadata, "events.parquet")
    message = str(caught.value)
    for part in (
        "events.parquet",
        "process 'ttz', the model knows 'tth'",
        "√S = 14000 GeV, the model knows 13000 GeV",
        "column met_phi: float",
        "the model knows none",
        "the model knows list [MeV]",
    ):
        assert part in message
    assert not re.search(r"column (jet_eta|lepton_pt)", message)


def test_same_columns_with_another_version_of_the_schema(record: SchemaRecord) -> None:
    other = record.model_copy(update={"fingerprint": "0" * 64})
    with pytest.raises(SchemaError, match=r"fingerprint [0-9a-f]{12}…, the model has 0{12}…"):
        other.check(StoreMetadata.for_process(TTH), "events.parquet")


def test_record_survives_json(record: SchemaRecord) -> None:
    assert SchemaRecord.model_validate_json(record.model_dump_json()) == record
