import importlib.util

import pyarrow as pa

from partonic.events.columns import event_columns, weight_column
from partonic.polynomial import Monomials


def test_extra_weights_follow_the_coefficients():
    names = [column.name for column in event_columns(3, Monomials.constant(), ("up", "down"))]
    assert names[:5] == ["event_id", "weight", "coefficients", "weight_up", "weight_down"]
    assert len(set(names)) == len(names)
    assert weight_column("up") == "weight_up"


def test_reconstructed_columns_are_single_precision_and_weights_double():
    columns = {column.name: column.type for column in event_columns(3, Monomials.constant(), ())}
    assert columns["jet_pt"] == pa.list_(pa.float32())
    assert columns["met_pt"] == pa.float32()
    assert columns["coefficients"] == pa.list_(pa.float64(), 1)


def test_the_reference_page_is_up_to_date(repository):
    script = repository / "docs" / "write_event_schema.py"
    spec = importlib.util.spec_from_file_location("write_event_schema", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.PAGE.read_text(encoding="utf-8")
    assert module.page(text) == text, "run python docs/write_event_schema.py"
    assert "| `jet_pt` | list of float | GeV |" in text
