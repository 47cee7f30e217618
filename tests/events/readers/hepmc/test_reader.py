import bz2
import gzip
import lzma

import numpy as np
import pyarrow as pa
import pyhepmc
import pytest

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.batch import padded_lists
from partonic.events.readers.hepmc.reader import PARTICLE_COLUMNS, read_hepmc
from partonic.events.schema import ProcessInfo
from partonic.polynomial import Monomials

LINEAR = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13_000.0)
NAMES = ["nominal", "a_1", "a_m1", "MUR2.0"]


def event(index, momentum_unit="GEV", length_unit="MM", section=4.0):
    """pp → H t t̄ with a copy of t, given in GeV and mm and written in the units asked for."""
    record = pyhepmc.GenEvent(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    run = pyhepmc.GenRunInfo()
    run.weight_names = NAMES
    record.run_info = run
    record.event_number = index
    beams = [pyhepmc.GenParticle((0, 0, pz, 6500.0), 2212, 4) for pz in (6500.0, -6500.0)]
    hard = pyhepmc.GenVertex((0.0, 0.0, 0.0, 0.0))
    for beam in beams:
        hard.add_particle_in(beam)
    for pdg, energy in ((25, 200.0), (6, 300.0), (-6, 250.0)):
        hard.add_particle_out(pyhepmc.GenParticle((10.0 + index, 20.0, 30.0, energy), pdg, 2))
    record.add_vertex(hard)
    shower = pyhepmc.GenVertex((1.0, 2.0, 3.0, 4.0))
    shower.add_particle_in(hard.particles_out[1])
    shower.add_particle_out(pyhepmc.GenParticle((9.0, 20.0, 30.0, 290.0), 6, 2))
    shower.add_particle_out(pyhepmc.GenParticle((1.0, 0.0, 0.0, 10.0), 21, 1))
    record.add_vertex(shower)
    record.weights = [-1.0 if index == 1 else 2.0, 5.0, 1.0, 3.0]
    if section is not None:
        cross_section = pyhepmc.GenCrossSection()
        cross_section.set_cross_section(section, 0.1)
        record.cross_section = cross_section
    pdf = pyhepmc.GenPdfInfo()
    pdf.parton_id1, pdf.parton_id2, pdf.x1, pdf.x2, pdf.scale = 21, 2, 0.1, 0.2, 235.0
    record.pdf_info = pdf
    record.set_units(getattr(pyhepmc.Units, momentum_unit), getattr(pyhepmc.Units, length_unit))
    return record


def write(path, count=3, **options):
    with pyhepmc.open(str(path), "w") as file:
        for index in range(count):
            file.write(event(index, **options))
    return path


def read(files, process=LINEAR, **settings):
    source = read_hepmc(ImportConfig(format="hepmc", files=tuple(np.atleast_1d(files)), **settings), process)
    return pa.concat_tables(source.tables), source.metadata


SETTINGS = {"weight_points": {"a_1": {"a": 1.0}, "a_m1": {"a": -1.0}}, "nominal_is_point": True}


@pytest.mark.parametrize(("momentum_unit", "length_unit"), [("GEV", "MM"), ("MEV", "CM")])
@pytest.mark.parametrize("name", ["e.hepmc3", "e.hepmc3.gz"])
def test_events_come_in_gev_and_mm(tmp_path, momentum_unit, length_unit, name):
    path = write(tmp_path / name, momentum_unit=momentum_unit, length_unit=length_unit)
    table, metadata = read(path, batch_size=2, **SETTINGS)
    momenta = np.array(table.column("particle_momentum")[1].as_py()).reshape(-1, 4)
    assert np.allclose(momenta[0], [6500.0, 0.0, 0.0, 6500.0])
    assert np.allclose(momenta[2], [200.0, 11.0, 20.0, 30.0])
    assert table.column("particle_pdg")[0].as_py() == [2212, 2212, 25, 6, -6, 6, 21]
    assert table.column("particle_status")[0].as_py() == [4, 4, 2, 2, 2, 2, 1]
    assert table.column("particle_mother")[0].as_py() == [-1, -1, 0, 0, 0, 3, 3]
    assert np.allclose(np.array(table.column("particle_vertex")[0].as_py()).reshape(-1, 4)[6], [1, 2, 3, 4])
    assert np.allclose(np.array(table.column("partons").to_pylist())[:, 4:8], [[300, 10 + i, 20, 30] for i in range(3)])
    assert table.column("x1").to_pylist() == [0.1] * 3
    assert table.column("initial_pdg").to_pylist() == [[21, 2]] * 3
    assert set(table.column_names) - set(PARTICLE_COLUMNS) <= set(metadata.event_schema.arrow().names)
    assert padded_lists(table.column("particle_pdg").combine_chunks(), 2)[1].all()


def test_weights_are_normalised_to_the_cross_section(tmp_path):
    path = write(tmp_path / "e.hepmc3")
    table, metadata = read(path, **SETTINGS)
    assert np.allclose(table.column("weight").to_pylist(), np.array([2.0, -1.0, 2.0]) * 4 / 3)
    assert metadata.weight_names == ("MUR2.0",)
    assert np.allclose(table.column("weight_MUR2.0").to_pylist(), 4.0)
    nominal = np.array([2.0, -1.0, 2.0])
    expected = np.stack([nominal, np.full(3, 2.0), 3.0 - nominal], -1) * 4 / 3
    assert np.allclose(np.array(table.column("coefficients").to_pylist()), expected)
    assert read(path, cross_section=6.0, **SETTINGS)[0].column("weight")[1].as_py() == pytest.approx(-2.0)
    both, _ = read([path, write(tmp_path / "f.hepmc3", 1)], **SETTINGS)
    assert sum(both.column("weight").to_pylist()) == pytest.approx(4.0)
    assert both.column("event_id").to_pylist() == [0, 1, 2, 3]


def test_last_copies_and_other_partons(tmp_path):
    path = write(tmp_path / "e.hepmc3")
    table, metadata = read(path, partons=[6], parton_copy="last", theta_independent=True)
    assert np.allclose(table.column("partons").to_pylist(), [[290.0, 9.0, 20.0, 30.0]] * 3)
    assert metadata.parton_names == ("t",)
    with pytest.raises(EventFileError, match=r"event 0 .* PDG id 23"):
        read(path, partons=[23], theta_independent=True)


def test_hepmc2(tmp_path):
    path = tmp_path / "e.hepmc2"
    with pyhepmc.open(str(path), "w", format="hepmc2") as file:
        for index in range(3):
            file.write(event(index, momentum_unit="MEV"))
    table, metadata = read(path, theta_independent=True)
    assert np.allclose(table.column("weight").to_pylist(), np.array([2.0, -1.0, 2.0]) * 4 / 3)
    assert metadata.weight_names == ("a_1", "a_m1", "MUR2.0")
    assert np.allclose(np.array(table.column("partons")[0].as_py())[:4], [200.0, 10.0, 20.0, 30.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: len(t) // 2], "truncated"),
        (lambda t: t.replace("HepMC::", "Nothing::"), "truncated or no HepMC"),
        (lambda t: t.replace("W 2.00", "W two", 1), "event 0 .* malformed"),
        (lambda t: t.replace("E 1 2 7", "E 1 2 x"), "event 1 .* malformed"),
        (
            lambda t: t.replace("W -1.0000000000000000000000e+00", "W nan", 1),
            "event 1 .* its weight 'nominal', the nominal one, is NaN",
        ),
        (lambda t: t.replace(" 3.0000000000000000000000e+00\n", "\n", 1), "event 0 .* number of weights"),
        (lambda t: t.replace("P 5 -1 -6 1.1", "P 5 -1 -6 inf 1.1", 1), "event 1 .* malformed|NaN or infinite"),
        (lambda t: t.replace("GenCrossSection", "GenOther"), "no cross section"),
    ],
)
def test_malformed_files(tmp_path, change, message):
    path = write(tmp_path / "e.hepmc3")
    text = path.read_text()
    changed = change(text)
    assert changed != text
    path.write_text(changed)
    with pytest.raises(EventFileError, match=message):
        read(path, **SETTINGS)


def test_files_that_do_not_fit(tmp_path):
    path = write(tmp_path / "e.hepmc3.gz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(EventFileError, match="truncated or damaged"):
        read(path, **SETTINGS)
    path.write_bytes(gzip.compress(b"\xff\xfe"))
    with pytest.raises(EventFileError, match=r"malformed|truncated"):
        read(path, **SETTINGS)
    with pytest.raises(EventFileError, match="not found"):
        read(tmp_path / "no.hepmc3", **SETTINGS)
    first = write(tmp_path / "a.hepmc3")
    second = write(tmp_path / "b.hepmc3")
    second.write_text(second.read_text().replace("MUR2.0", "MUR0.5"))
    with pytest.raises(EventFileError, match="other weights"):
        read([first, second], **SETTINGS)


def lines(path, old, new, count=-1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))
    return path


def test_documents_one_after_the_other(tmp_path):
    both = tmp_path / "both.hepmc"
    both.write_bytes(write(tmp_path / "1.hepmc").read_bytes() + write(tmp_path / "2.hepmc", section=6.0).read_bytes())
    table, _ = read(both, **SETTINGS)
    assert sum(table.column("weight").to_pylist()) == pytest.approx(5.0)
    assert table.column("event_number").to_pylist() == [0, 1, 2, 0, 1, 2]
    assert table.column("event_id").to_pylist() == list(range(6))


def test_files_with_the_weights_in_another_order(tmp_path):
    first, second = write(tmp_path / "1.hepmc"), write(tmp_path / "2.hepmc")
    lines(second, "W nominal\\|a_1\\|a_m1\\|MUR2.0", "W MUR2.0\\|nominal\\|a_m1\\|a_1")
    number = "{}.0000000000000000000000e+00"
    for nominal in ("2", "-1"):
        old, new = ((nominal, "5", "1", "3"), ("3", nominal, "1", "5"))
        lines(second, *("W " + " ".join(map(number.format, values)) for values in (old, new)))
    table, _ = read([first, second], **SETTINGS)
    alone, _ = read(first, **SETTINGS)
    for name in ("weight", "weight_MUR2.0", "coefficients"):
        values = np.array(table.column(name).to_pylist())
        assert np.allclose(values[:3], values[3:])
        assert np.allclose(values[:3], np.array(alone.column(name).to_pylist()) / 2)


def test_the_nominal_weight_is_found_by_name(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "W nominal\\|a_1\\|a_m1\\|MUR2.0", "W x\\|Default\\|y\\|z")
    table, metadata = read(path, theta_independent=True)
    assert metadata.facts["nominal_weight"] == "'Default', by its name"
    assert np.allclose(table.column("weight").to_pylist(), 4 / 3)
    table, metadata = read(path, theta_independent=True, nominal_weight="x")
    assert np.allclose(table.column("weight").to_pylist(), np.array([2.0, -1.0, 2.0]) * 4 / 3)
    lines(path, "W x", "W Weight")
    with pytest.raises(EventFileError, match="'Weight', 'Default' could each be the nominal one"):
        read(path, theta_independent=True)


def test_weights_with_one_name(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "a_m1", "a_1")
    with pytest.raises(EventFileError, match="several weights with the name 'a_1'"):
        read(path, theta_independent=True)


def test_weights_whose_names_make_one_column(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "a_1\\|a_m1\\|MUR2.0", "a b\\|a:b\\|*")
    _, metadata = read(path, theta_independent=True)
    assert metadata.weight_names == ("a_b", "a_b_1", "2")


def test_extra_weights_must_be_finite(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), " 3.0000000000000000000000e+00\n", " nan\n", 1)
    with pytest.raises(EventFileError, match=r"event 0 .*: weight 'MUR2.0' is NaN or infinite"):
        read(path, **SETTINGS)
    assert len(read(path, extra_weights=(), **SETTINGS)[0]) == 3


def test_events_without_weights_count_one(tmp_path):
    path = write(tmp_path / "e.hepmc")
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("W ")))
    table, metadata = read(path, theta_independent=True)
    assert np.allclose(table.column("weight").to_pylist(), 4 / 3)
    assert "no weights" in metadata.facts["nominal_weight"]
    with pytest.raises(EventFileError, match=r"other weights than .*: it has 4, that one 0"):
        read([path, write(tmp_path / "f.hepmc")], theta_independent=True)


def test_events_that_are_left_out_do_not_count(tmp_path):
    path = write(tmp_path / "e.hepmc")
    source = read_hepmc(ImportConfig(format="hepmc", files=(path,), **SETTINGS), LINEAR, frozenset({1}))
    table = pa.concat_tables(source.tables)
    assert source.num_events == source.metadata.n_generated == 2
    assert np.allclose(table.column("weight").to_pylist(), 2.0)
    assert table.column("event_id").to_pylist() == [0, 2]


@pytest.mark.parametrize("section", ["0.00000000e+00", "-1.00000000e+00", "nan", "4.0e+20"])
def test_cross_sections_that_cannot_be(tmp_path, section):
    path = lines(write(tmp_path / "e.hepmc"), "GenCrossSection 4.00000000e+00", f"GenCrossSection {section}")
    with pytest.raises(EventFileError, match=r"e\.hepmc states the cross section .* import\.cross_section"):
        read(path, **SETTINGS)
    assert sum(read(path, cross_section=2.0, **SETTINGS)[0].column("weight").to_pylist()) == pytest.approx(2.0)


def test_the_error_of_the_cross_section(tmp_path):
    path = write(tmp_path / "e.hepmc")
    assert read(path, **SETTINGS)[1].facts["relative_normalisation_error"] == pytest.approx(0.025)
    lines(path, "4.00000000e+00 1.00000000e-01", "4.00000000e+00 -1.0")
    assert read(path, **SETTINGS)[1].facts["relative_normalisation_error"] == 0.0


def test_stated_and_counted_events(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "1.00000000e-01 -1 -1", "1.00000000e-01 500 700")
    source = read_hepmc(ImportConfig(format="hepmc", files=(path,), **SETTINGS), LINEAR)
    assert "states 500 accepted events, the file has 3" in source.notes.warnings[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "P 1 0 2212",
            "P 1 0 -2212",
            r"event 0 .*: its beam particles \(status 4\) are -2212, 2212, expected two protons",
        ),
        ("P 1 0 2212", "P 1 0 11", "are 11, 2212"),
        ("6.5000000000000000e+03 6.5000000000000000e+03 0", "4.0e+03 4.0e+03 0", r"collide at √S = 10198 GeV"),
    ],
)
def test_other_beams_are_refused(tmp_path, old, new, message):
    path = lines(write(tmp_path / "e.hepmc"), old, new, 1)
    with pytest.raises(EventFileError, match=message):
        read(path, **SETTINGS)


@pytest.mark.parametrize("count", [1, -1])
def test_events_without_two_beams_are_noted(tmp_path, count):
    path = lines(write(tmp_path / "e.hepmc"), "0.0000000000000000e+00 4\n", "0.0000000000000000e+00 2\n", count)
    source = read_hepmc(ImportConfig(format="hepmc", files=(path,), **SETTINGS), LINEAR)
    list(source.tables)
    assert any("without two beam particles" in warning for warning in source.notes.warnings)


def test_partons_at_infinite_rapidity(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "P 3 -1 25 1.0000000000000000e+01 2.0000000000000000e+01 3.0",
                 "P 3 -1 25 0.0000000000000000e+00 0.0000000000000000e+00 2000.0")  # fmt: skip
    with pytest.raises(EventFileError, match=r"event 0 .*: the parton H has .* infinite rapidity"):
        read(path, **SETTINGS)


def test_files_without_events(tmp_path):
    full = write(tmp_path / "full.hepmc")
    text = full.read_text()
    empty = tmp_path / "empty.hepmc"
    empty.write_text(text[: text.index("E 0")] + text[text.index("HepMC::Asciiv3-END") :])
    for files in ([empty, full], [full, empty]):
        assert sum(read(files, **SETTINGS)[0].column("weight").to_pylist()) == pytest.approx(4.0)
    with pytest.raises(EventFileError, match="there is no event in the files"):
        read(empty, **SETTINGS)


@pytest.mark.parametrize("name", ["e.hepmc.xz", "e.hepmc.zst", "e.hepmc.bz2", "misnamed.gz"])
def test_other_compressions(tmp_path, name):
    plain = write(tmp_path / "e.hepmc3").read_bytes()
    pack = {"xz": lzma.compress, "bz2": bz2.compress, "gz": bytes}.get(name.rpartition(".")[2])
    pack = pack or pytest.importorskip("backports.zstd").compress
    (tmp_path / name).write_bytes(pack(plain))
    assert len(read(tmp_path / name, **SETTINGS)[0]) == 3


def test_events_that_the_library_does_not_read(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "\nE 1 2 7", "\nE 1 2 8")
    with pytest.raises(EventFileError, match=r"event 1 \(the first is 0\) is malformed: .* expected 3 events"):
        read(path, **SETTINGS)


def test_names_with_blanks(tmp_path):
    path = lines(write(tmp_path / "e.hepmc"), "MUR2.0", "MUR=2.0 MUF=1.0")
    table, metadata = read(path, **SETTINGS)
    assert metadata.weight_names == ("MUR_2.0_MUF_1.0",)
    assert np.allclose(table.column("weight_MUR_2.0_MUF_1.0").to_pylist(), 4.0)


def test_an_event_with_a_theta_weight_that_is_nan_can_be_dropped(tmp_path):
    path = lines(
        write(tmp_path / "e.hepmc"), "W 2.0000000000000000000000e+00 5.0", "W 2.0000000000000000000000e+00 nan #", 1
    )
    text = path.read_text()
    path.write_text(text.replace("nan #000000000000000000000e+00", "nan"))
    with pytest.raises(EventFileError, match=r"event 0 .*: a weight at a θ point is NaN or infinite"):
        read(path, **SETTINGS)
    source = read_hepmc(ImportConfig(format="hepmc", files=(path,), wild_weights="drop", **SETTINGS), LINEAR)
    list(source.tables)
    assert list(source.wild.reasons) == [0]


def test_cross_sections_of_two_samples(tmp_path):
    one, two = write(tmp_path / "1.hepmc3"), write(tmp_path / "2.hepmc3", section=4000.0)
    with pytest.raises(EventFileError, match=r"1\.hepmc3 states .* 4 pb, .*2\.hepmc3 one of 4000 pb: these are two"):
        read([one, two], theta_independent=True)
    both = tmp_path / "both.hepmc3"
    both.write_text(one.read_text() + two.read_text())
    with pytest.raises(EventFileError, match=r"listing 1 of .*both\.hepmc3 states .* 4 pb, listing 2 of"):
        read(both, theta_independent=True)
    table, _ = read([one, two], theta_independent=True, cross_section=2.0)
    assert sum(table.column("weight").to_pylist()) == pytest.approx(2.0)


def test_the_cross_section_of_the_nominal_weight(tmp_path):
    path = write(tmp_path / "e.hepmc3")
    text = path.read_text()
    path.write_text(text.replace(" -1 -1\n", " -1 -1 7.0 0.1 8.0 0.1 9.0 0.1\n"))
    assert path.read_text() != text
    for nominal, section in ((None, 4.0), ("a_1", 7.0), ("MUR2.0", 9.0)):
        table, metadata = read(path, theta_independent=True, nominal_weight=nominal)
        assert sum(table.column("weight").to_pylist()) == pytest.approx(section)
        assert metadata.facts["normalisation"] == f"all weights sum to {section} pb"


def test_weights_that_sum_to_a_negative_number(tmp_path):
    path = write(tmp_path / "e.hepmc3")
    path.write_text(path.read_text().replace("\nW 2.0", "\nW -2.0"))
    with pytest.raises(EventFileError, match=r"event weights sum to -5 and cannot be normalised to 4 pb"):
        read(path, theta_independent=True)


@pytest.mark.parametrize("wrong", ["nan 2.0e-01", "1.0e-01 1.3e+01", "1.0e-01 -1.0"])
def test_momentum_fractions_that_are_none_are_unknown(tmp_path, wrong):
    path = write(tmp_path / "e.hepmc3", 2)
    lines = path.read_text().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if "GenPdfInfo" in line)
    words = lines[place].split()
    x1, x2 = wrong.split()
    lines[place] = " ".join([*words[:5], x1, x2, "nan", *words[8:]]) + "\n"
    path.write_text("".join(lines))
    table, _ = read(path, theta_independent=True)
    for name in ("x1", "x2", "scale", "initial_pdg"):
        assert table.column(name)[0].as_py() is None
        assert table.column(name)[1].as_py() is not None


def test_copies_of_parton_events(tmp_path):
    path = write(tmp_path / "e.hepmc3", count=6)
    table, metadata = read(path, copies=3, **SETTINGS)
    assert metadata.copies
    assert table.column("parton_event").to_pylist() == [0, 0, 0, 1, 1, 1]
    assert not read(path, **SETTINGS)[1].copies
    with pytest.raises(EventFileError, match=r"has 6 events, which are not 4 of each parton event: .*import\.copies"):
        read(path, copies=4, **SETTINGS)


def test_copies_are_those_of_hepmc():
    with pytest.raises(ValueError, match=r"copies of parton events are known in HepMC files only"):
        ImportConfig(format="delphes", files=("e.root",), copies=2)
