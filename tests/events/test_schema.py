import json
from dataclasses import replace

import pyarrow as pa
import pytest
from pydantic import ValidationError

from partonic.errors import NonFiniteError, SchemaError
from partonic.events.columns import GROUPS
from partonic.events.schema import CrossSection, CutFlowStep, EventSchema, ProcessInfo, StoreMetadata
from partonic.polynomial import Monomials
from partonic.processes.decay_tree import DecayTree, Resonance


def test_every_column_states_unit_group_and_meaning(process_info):
    schema = EventSchema(process_info, ("scale_up",), identity=True, photons=True).arrow()
    facts = [{key.decode(): value.decode() for key, value in field.metadata.items()} for field in schema]
    assert {fact["group"] for fact in facts} == set(GROUPS)
    assert all(fact["description"].endswith((".", "events.")) for fact in facts)
    units = dict(zip(schema.names, (fact["unit"] for fact in facts), strict=True))
    assert (units["weight"], units["weight_scale_up"], units["partons"]) == ("pb", "pb", "GeV")
    assert (units["jet_pt"], units["met_phi"], units["x1"]) == ("GeV", "rad", "")


def test_sizes_follow_the_process(process_info):
    schema = EventSchema(process_info).arrow()
    assert schema.field("partons").type.list_size == 12
    assert schema.field("coefficients").type.list_size == 6
    assert schema.field("isr_partons").type.list_size == 16
    assert not schema.field("weight").nullable
    assert schema.field("x1").nullable


def test_fingerprint_changes_with_the_meaning_only(process_info):
    schema = EventSchema(process_info)
    assert EventSchema(process_info, ("scale_up",)).fingerprint() == schema.fingerprint()
    other = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13_000.0)
    assert EventSchema(other).fingerprint() != schema.fingerprint()
    seen = ("jets", "leptons", "met")
    assert EventSchema(other).fingerprint(seen) == schema.fingerprint(seen)
    assert schema.fingerprint(seen) != schema.fingerprint(("jets",))


def minimal(**columns):
    coefficients = pa.FixedSizeListArray.from_arrays(pa.array([1.0] * 12), 6)
    return pa.table({"event_id": [0, 1], "weight": [1.0, -1.0], "coefficients": coefficients} | columns)


def test_conform_fills_and_casts(process_info):
    table = EventSchema(process_info).conform(minimal(cut=[0, -1], jet_pt=[[30.0], None]))
    assert table.schema.equals(EventSchema(process_info).arrow())
    assert table.column("cut").type == pa.int8()
    assert table.column("jet_pt").to_pylist() == [[30.0], None]
    assert table.column("partons").null_count == 2


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (minimal().drop_columns(["weight"]), "lacks the column 'weight'"),
        (minimal(colour=[1, 2]), "that the schema lacks: colour"),
        (minimal(weight=[1.0, None]), "'weight' is null for 1 of 2"),
        (minimal(cut=[0, 1000]), "'cut' must be int8"),
        (minimal(partons=[[1.0], [2.0]]), "'partons' must be"),
        (minimal(jet_pt=["a", "b"]), "'jet_pt' must be"),
    ],
)
def test_tables_that_do_not_fit(process_info, table, message):
    with pytest.raises(SchemaError, match=message):
        EventSchema(process_info).conform(table)


def test_not_finite_coefficients(process_info):
    bad = pa.FixedSizeListArray.from_arrays(pa.array([1.0] * 11 + [float("inf")]), 6)
    with pytest.raises(NonFiniteError, match="1 of 12 values of 'coefficients'"):
        EventSchema(process_info).conform(minimal(coefficients=bad))


def test_metadata_round_trip(process_info):
    metadata = StoreMetadata.for_process(
        process_info,
        theta={"a": 0.1},
        n_generated=7,
        cross_section=CrossSection(coefficients=(0.1,) * 6, errors=(1 / 3,) * 6),
        cut_flow=(CutFlowStep(name="generated", events=7, weight=-0.1, weight_error=0.3),),
        config={"process": {"name": "tth", "list": [1, None]}},
        versions={"python": "3.11"},
    )
    text = metadata.to_json()
    assert StoreMetadata.from_json(text, "here") == metadata
    assert json.loads(text)["schema_version"] == 1
    assert metadata.process_info == process_info
    assert metadata.event_schema == EventSchema(process_info)


def test_cross_section_at_theta():
    section = CrossSection(coefficients=(1.0, 2.0, 3.0), errors=(0.1, 0.1, 0.1))
    assert section.at(Monomials.up_to_degree(("a",), 2), [0.5]) == 1.0 + 1.0 + 0.75


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"n_generated": -1}, "non-negative"),
        ({"theta": {"c": 1.0}}, "unknown theory parameter 'c'"),
        ({"colour": 1}, "Extra inputs"),
        ({"cross_section": {"coefficients": [1.0], "errors": [0.1]}}, "needs 6 coefficients"),
    ],
)
def test_wrong_metadata(process_info, facts, message):
    with pytest.raises(ValidationError, match=message):
        StoreMetadata.for_process(process_info, **facts)
    good = StoreMetadata.for_process(process_info)
    with pytest.raises(ValidationError, match=message):
        good.with_facts(**facts)


def test_metadata_refuse_nan_and_foreign_json(process_info):
    bad = StoreMetadata.for_process(process_info, facts={"x": float("nan")})
    with pytest.raises(NonFiniteError, match="finite"):
        bad.to_json()
    with pytest.raises(SchemaError, match="plain JSON"):
        StoreMetadata.for_process(process_info, config={"x": Monomials.constant()}).to_json()
    with pytest.raises(SchemaError, match=r"here: .*process: Field required"):
        StoreMetadata.from_json("{}", "here")
    with pytest.raises(ValidationError, match="2 PDG"):
        StoreMetadata(process="x", parton_names=("a",), parton_pdg=(1, 2), collider_energy=1.0)


def test_the_identity_of_events_is_optional_and_no_part_of_their_meaning(process_info):
    named, plain = EventSchema(process_info, identity=True), EventSchema(process_info)
    assert set(named.arrow().names) - set(plain.arrow().names) == {"run", "luminosity_block", "event_number"}
    assert named.fingerprint() == plain.fingerprint()
    metadata = StoreMetadata.for_process(process_info, identity=True)
    assert StoreMetadata.from_json(metadata.to_json(), "x").event_schema == named


def test_several_final_states(process_info):
    states = (process_info.parton_pdg, tuple(-pdg for pdg in process_info.parton_pdg))
    several = replace(process_info, final_states=states)
    schema, plain = EventSchema(several), EventSchema(process_info)
    added = set(schema.arrow().names) - set(plain.arrow().names)
    assert added == {"parton_pdg"}
    assert schema.arrow().field("parton_pdg").type == pa.list_(pa.int32(), len(process_info.parton_pdg))
    assert schema.fingerprint() == plain.fingerprint()


def test_decay_tree_travels_with_the_events(process_info):
    tree = DecayTree((Resonance("W", (24, -24), (0, 1), "matrix element"),), exchanges=((0, 1),))
    states = (process_info.parton_pdg, tuple(-pdg for pdg in process_info.parton_pdg))
    process = replace(process_info, final_states=states, decay_tree=tree)
    read = StoreMetadata.from_json(StoreMetadata.for_process(process).to_json(), "here")
    assert read.process_info == process


def test_metadata_of_before_have_the_resonances_among_the_partons():
    old = StoreMetadata(process="tth", parton_names=("H", "t", "tbar"), parton_pdg=(25, 6, -6), collider_energy=13e3)
    assert old.final_states == ()
    assert old.process_info.final_states == ((25, 6, -6),)
    assert old.process_info.decay_tree.origins == (25, 6, -6)


def test_final_states_have_the_same_number_of_partons():
    with pytest.raises(ValidationError, match="2 parton names but 3 PDG identifiers"):
        StoreMetadata(
            process="a", parton_names=("e", "nu"), parton_pdg=(11, -12), collider_energy=1.0, final_states=((1, 2, 3),)
        )
