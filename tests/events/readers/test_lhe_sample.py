"""Les Houches files as a sample: documents and files that belong together or not, cross sections, left-out events."""

import contextlib
import gzip

import numpy as np
import pytest
from tests.events.readers.lhe_files import tth_file, tth_particles, write_lhe
from tests.events.readers.test_lhe import CONSTANT, read

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.batch import EventBatch
from partonic.events.readers.lhe import read_lhe


def events(nominal, seed=1, **more):
    rng = np.random.default_rng(seed)
    return [{"lines": tth_particles(rng)[0], "weight": weight, **more} for weight in nominal]


def source_of(files, process, left_out=frozenset(), **settings):
    config = ImportConfig(format="lhe", files=tuple(np.atleast_1d(files)), **settings)
    source = read_lhe(config, process, left_out)
    tables = [source.metadata.event_schema.conform(table) for table in source.tables]
    return source, [EventBatch(table, source.metadata) for table in tables]


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def weights_of(files, process, **settings):
    return read(files, process, **CONSTANT, **settings).weight


def test_documents_one_after_the_other_are_read_like_files(tmp_path, process_info):
    first, *_ = tth_file(tmp_path / "1.lhe", count=5, seed=1)
    second, *_ = tth_file(tmp_path / "2.lhe", count=15, seed=2)
    both = tmp_path / "both.lhe"
    both.write_bytes((tmp_path / "1.lhe").read_bytes() + (tmp_path / "2.lhe").read_bytes())
    members = tmp_path / "members.lhe.gz"
    members.write_bytes(b"".join(gzip.compress((tmp_path / name).read_bytes()) for name in ("1.lhe", "2.lhe")))
    for files in (both, members):
        batch = read(files, process_info)
        assert np.allclose(batch.coefficients, np.concatenate([first, second]) / 20)
        assert batch.column("event_id").tolist() == list(range(20))


def test_events_of_the_second_document_are_named(tmp_path, process_info):
    tth_file(tmp_path / "1.lhe", count=5, seed=1)
    tth_file(tmp_path / "2.lhe", count=5, seed=2)
    both = tmp_path / "both.lhe"
    second = (tmp_path / "2.lhe").read_text().replace(" 25 1 1 2", " 23 1 1 2")
    both.write_text((tmp_path / "1.lhe").read_text() + second)
    with pytest.raises(EventFileError, match=r"both\.lhe: event 5 \(the first is 0\) has no outgoing particle"):
        read(both, process_info)


@pytest.mark.parametrize("order", [("empty", "full"), ("full", "empty")])
def test_files_without_events_count_nothing(tmp_path, process_info, order):
    write_lhe(tmp_path / "empty.lhe", [], processes=((1, 9.0),), strategy=3)
    write_lhe(tmp_path / "full.lhe", events([2.0, 4.0]), processes=((1, 0.5),), strategy=3)
    found = weights_of([tmp_path / f"{name}.lhe" for name in order], process_info)
    assert np.allclose(found, np.array([2.0, 4.0]) / 12)


def test_a_sample_without_events(tmp_path, process_info):
    path = write_lhe(tmp_path / "empty.lhe", [])
    with pytest.raises(EventFileError, match=r"empty\.lhe: there is no event in the files of the sample"):
        weights_of(path, process_info)


def test_cross_sections_are_averaged_with_the_numbers_of_events(tmp_path, process_info):
    one = write_lhe(tmp_path / "1.lhe", events([1.0] * 3), processes=((1, 0.4),), strategy=3)
    two = write_lhe(tmp_path / "2.lhe", events([1.0], seed=2), processes=((1, 0.48),), strategy=3)
    batch = read([one, two], process_info, **CONSTANT)
    assert batch.weight.sum() == pytest.approx(0.42)
    assert batch.metadata.facts["stated_cross_section"] == pytest.approx(0.42)


def test_files_whose_weights_sum_to_their_cross_section(tmp_path, process_info):
    """Two runs of MadGraph with `event_norm = sum`: together they are still one cross section."""
    one = write_lhe(tmp_path / "1.lhe", events([0.1] * 5), processes=((1, 0.5),))
    two = write_lhe(tmp_path / "2.lhe", events([0.05] * 10, seed=2), processes=((1, 0.5),))
    batch = read([one, two], process_info, **CONSTANT)
    assert np.allclose(batch.weight, 0.5 / 15)
    assert "the sum of the weights of each file is the cross section" in batch.metadata.facts["normalisation"]
    assert np.allclose(weights_of([one, two], process_info, normalisation="sum"), 0.5 / 15)
    assert weights_of(one, process_info).sum() == pytest.approx(0.5)


def test_files_with_weights_of_other_units(tmp_path, process_info):
    one = write_lhe(tmp_path / "1.lhe", events([0.1] * 5), processes=((1, 0.5),))
    two = write_lhe(tmp_path / "2.lhe", events([0.5] * 5, seed=2), processes=((1, 0.5),))
    with pytest.raises(EventFileError, match=r"weights of .*1\.lhe sum to the cross section .*2\.lhe do not"):
        weights_of([one, two], process_info)
    assert np.allclose(weights_of([two, two], process_info, duplicates="keep"), 0.05)


def test_strategies_that_differ_in_sign_only(tmp_path, process_info):
    one = write_lhe(tmp_path / "1.lhe", events([0.5]), strategy=4)
    two = write_lhe(tmp_path / "2.lhe", events([0.5], seed=2), strategy=-4)
    assert np.allclose(weights_of([one, two], process_info), 0.25)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "1e-30", "1e15", "inf"])
@pytest.mark.parametrize("strategy", [3, -4])
def test_cross_sections_that_cannot_be(tmp_path, process_info, value, strategy):
    path = write_lhe(tmp_path / "e.lhe", events([2.0, 4.0]), processes=((1, 0.5),), strategy=strategy)
    changed(path, "0.5 0.01 1.0 1\n", f"{value} 0.01 1.0 1\n")
    with pytest.raises(
        EventFileError, match=r"e\.lhe states the cross section .* pb \(XSECUP\).*import\.cross_section"
    ):
        weights_of(path, process_info)
    batch = read(path, process_info, cross_section=6.0, **CONSTANT)
    assert np.allclose(batch.weight, [2.0, 4.0])
    assert batch.metadata.facts["relative_normalisation_error"] == 0.0


def test_a_stated_average_needs_no_cross_section(tmp_path, process_info):
    path = changed(write_lhe(tmp_path / "e.lhe", events([2.0, 4.0])), "0.5 0.01 1.0 1\n", "-1 -1 1.0 1\n")
    assert np.allclose(weights_of(path, process_info, normalisation="average"), [1.0, 2.0])


@pytest.mark.parametrize("stated", ["0", "-0.5", "nan"])
def test_processes_without_a_cross_section_of_their_own(tmp_path, process_info, stated):
    path = write_lhe(
        tmp_path / "e.lhe", events([1.0]) + events([1.0], 2, process=7), strategy=2, processes=((1, 2.0), (7, 0.5))
    )
    assert np.allclose(weights_of(path, process_info), [2.0, 0.5])
    changed(path, "0.5 0.01 1.0 7\n", f"{stated} 0.01 1.0 7\n")
    with pytest.raises(
        EventFileError, match=r"IDWTUP is 2, .* process 7 should sum to its XSECUP|cross section nan pb"
    ):
        weights_of(path, process_info)


def test_a_process_that_the_header_does_not_list(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", events([1.0]) + events([1.0], 2, process=7), strategy=2)
    with pytest.raises(EventFileError, match="the 1 events of process 7 should sum to its XSECUP, but that is nan pb"):
        weights_of(path, process_info)


def test_events_that_are_left_out_do_not_count(tmp_path, process_info):
    truth, *_ = tth_file(tmp_path / "1.lhe", count=6, seed=1)
    other, *_ = tth_file(tmp_path / "2.lhe", count=4, seed=2)
    files = [tmp_path / "1.lhe", tmp_path / "2.lhe"]
    source, batches = source_of(files, process_info, frozenset({1, 6, 9}), batch_size=3)
    kept = np.concatenate([truth[[0, 2, 3, 4, 5]], other[[1, 2]]])
    assert source.num_events == source.metadata.n_generated == 7
    assert np.allclose(np.concatenate([batch.coefficients for batch in batches]), kept / 7)
    assert np.concatenate([batch.column("event_id") for batch in batches]).tolist() == [0, 2, 3, 4, 5, 7, 8]


def test_what_is_stated_is_held_against_what_is_there(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", events([0.5, 0.5]))
    notes = "#  Number of Events        :  1000\n#  Integrated weight (pb)  :  0.7\n"
    changed(path, "<header>\n", f"<header>\n<MGGenerationInfo>\n{notes}</MGGenerationInfo>\n")
    source, _ = source_of(path, process_info, **CONSTANT)
    assert len(source.notes.warnings) == 2
    assert "its header notes 1000 events, it has 2" in source.notes.warnings[0]
    assert "its header notes the cross section 0.7 pb, but XSECUP is 0.5 pb" in source.notes.warnings[1]


def test_weights_that_do_not_fit_the_cross_section_are_a_warning(tmp_path, process_info):
    source, _ = source_of(write_lhe(tmp_path / "e.lhe", events([50.0, 70.0])), process_info, **CONSTANT)
    assert "which does not fit" in source.notes.warnings[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a=1.0", "a=2.0", r"1\.lhe and .*2\.lhe give the weight 'theta_\d' different meanings"),
        ('<weight id="theta_0">', '<weight id="theta_9">', "'theta_0' different meanings: 'a=0.0 b=0.0' and ''"),
    ],
)
def test_files_whose_weights_mean_something_else(tmp_path, process_info, old, new, message):
    tth_file(tmp_path / "1.lhe", count=5, seed=1)
    tth_file(tmp_path / "2.lhe", count=5, seed=2)
    changed(tmp_path / "2.lhe", old, new)
    files = [tmp_path / "1.lhe", tmp_path / "2.lhe"]
    with pytest.raises(EventFileError, match=message):
        read(files, process_info)
    assert len(read(files, process_info, extra_weights=(), **CONSTANT)) == 10


def test_weights_in_another_order_mean_the_same(tmp_path, process_info):
    named = {"x": 2.0, "y": 3.0}
    one = write_lhe(tmp_path / "1.lhe", events([1.0], weights=named), weights=[("x", "one"), ("y", "two")], strategy=3)
    two = write_lhe(
        tmp_path / "2.lhe", events([1.0], 2, weights=dict(reversed(named.items()))), strategy=3,
        weights=[("y", "two"), ("x", "one")],
    )  # fmt: skip
    batch = read([one, two], process_info, **CONSTANT)
    assert np.allclose(batch.column("weight_basis_x"), 0.5)
    assert np.allclose(batch.column("weight_basis_y"), 0.75)


def test_a_weight_that_one_file_has_more(tmp_path, process_info):
    one = write_lhe(tmp_path / "1.lhe", events([1.0], weights={"x": 2.0}), weights=[("x", "one")])
    two = write_lhe(
        tmp_path / "2.lhe", events([1.0], 2, weights={"x": 2.0, "y": 1.0}), weights=[("x", "one"), ("y", "")]
    )
    with pytest.raises(EventFileError, match=r"different weights: .*2\.lhe has 'y', .*1\.lhe does not"):
        weights_of([one, two], process_info)
    assert read([one, two], process_info, extra_weights=("*x",), **CONSTANT).metadata.weight_names == ("basis_x",)


def test_files_of_our_own_generated_at_other_points(tmp_path, process_info):
    for number in (1, 2):
        tth_file(tmp_path / f"{number}.lhe", count=5, seed=number, partonic=True)
        changed(tmp_path / f"{number}.lhe", "<partonic>{}", f'<partonic>{{"theta": {{"a": {number}}}}}')
    with pytest.raises(EventFileError, match=r"1\.lhe was generated at θ = .*2\.lhe at"):
        read([tmp_path / "1.lhe", tmp_path / "2.lhe"], process_info)


def test_no_weights_are_read_where_none_are_wanted(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", events([1.0, 1.0], weights={"x": float("nan")}), weights=[("x", "one")])
    changed(path, '<weight id="x"> one </weight>', "<weight> one </weight>")
    assert len(read(path, process_info, extra_weights=(), **CONSTANT)) == 2
    with pytest.raises(EventFileError, match="<initrwgt> is malformed"):
        weights_of(path, process_info)


def test_extra_weights_must_be_finite(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", events([1.0], weights={"x": float("nan")}), weights=[("x", "one")])
    with pytest.raises(EventFileError, match=r"event 0 .*: weight 'x' is nan, expected a finite number"):
        weights_of(path, process_info)


def test_weights_whose_names_make_one_column(tmp_path, process_info):
    named = {"a b": 1.0, "a:b": 2.0, "*": 3.0}
    path = write_lhe(tmp_path / "e.lhe", events([1.0], weights=named), strategy=3)
    batch = read(path, process_info, **CONSTANT)
    assert batch.metadata.weight_names == ("a_b", "a_b_1", "2")
    assert [batch.column(f"weight_{name}")[0] for name in batch.metadata.weight_names] == [0.5, 1.0, 1.5]


def listed(tmp_path, values, declared, named=None):
    weights = [(name, "text") for name in declared]
    path = write_lhe(tmp_path / "e.lhe", events([1.0], weights=named), weights=weights, strategy=3)
    return changed(path, "</event>", f"<weights> {values} </weights>\n</event>")


def test_lists_of_weights_without_names(tmp_path, process_info):
    batch = read(listed(tmp_path, "2.0 3.0D0", ["x", "y"]), process_info, **CONSTANT)
    assert np.allclose([batch.column(f"weight_basis_{name}")[0] for name in "xy"], [1.0, 1.5])
    batch = read(listed(tmp_path, "2.0 3.0", []), process_info, **CONSTANT)
    assert batch.metadata.weight_names == ("0", "1")
    with pytest.raises(EventFileError, match="its list <weights> has 3 numbers, but the header declares 2 weights"):
        weights_of(listed(tmp_path, "1 2 3", ["x", "y"]), process_info)
    source, _ = source_of(listed(tmp_path, "1 2 3", ["x", "y"], {"x": 1.0, "y": 2.0}), process_info, **CONSTANT)
    assert "a list <weights> of 3 numbers beside 2 named weights" in source.notes.warnings[-1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (" 25 1 1 2", " 25.5 1 1 2", r"event 0 .* particle 3 begins with .*, expected six whole numbers"),
        (" 25 1 1 2", " 99999999999 1 1 2", r"event 0 .* particle 3 .*, expected six whole numbers of at most 32 bits"),
        ("6500.0 6500.0", "65.0 650000.0", r"event 0 .*momentum fractions .*Are its momenta in GeV"),
    ],
)
def test_particles_that_cannot_be(tmp_path, process_info, old, new, message):
    path = changed(write_lhe(tmp_path / "e.lhe", events([1.0])), old, new)
    with pytest.raises(EventFileError, match=message):
        weights_of(path, process_info)


@pytest.mark.parametrize("process", [0, 100_000])
def test_channels_of_our_own_files_that_cannot_be(tmp_path, process_info, process):
    path = write_lhe(tmp_path / "e.lhe", events([1.0], process=process), processes=((process, 0.5),), partonic=True)
    with pytest.raises(
        EventFileError, match=rf"event 0 .* IDPRUP is {process}, but in our own files it is 1 \+ channel"
    ):
        weights_of(path, process_info)


def test_partons_at_infinite_rapidity(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", events([1.0]))
    lines = path.read_text().splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith(" 25 1"))
    lines[place] = " 25 1 1 2 0 0 0.0 0.0 50.0 50.0 0.0 0. 9."
    path.write_text("\n".join(lines))
    with pytest.raises(EventFileError, match=r"event 0 .*: the parton H has .* infinite rapidity"):
        weights_of(path, process_info)


@pytest.mark.parametrize("trial", range(6))
def test_damaged_bytes_are_never_a_stack_trace(tmp_path, process_info, trial):
    """Sixty changes each; the event file is read, with numbers that are finite, or refused."""
    rng = np.random.default_rng(trial)
    tth_file(tmp_path / "e.lhe", count=3)
    whole = (tmp_path / "e.lhe").read_bytes()
    path = tmp_path / "damaged.lhe"
    for _ in range(60):
        data, place = bytearray(whole), int(rng.integers(len(whole)))
        match int(rng.integers(4)):
            case 0:
                del data[place:]
            case 1:
                data[place] ^= 1 << int(rng.integers(8))
            case 2:
                del data[place : place + int(rng.integers(1, 300))]
            case _:
                data[place:place] = data[place : place + int(rng.integers(1, 900))]
        path.write_bytes(bytes(data))
        with contextlib.suppress(EventFileError):
            assert np.isfinite(read(path, process_info).coefficients).all()


def test_cross_sections_of_two_samples(tmp_path, process_info):
    one = write_lhe(tmp_path / "1.lhe", events([0.5] * 4), processes=((1, 0.5),), strategy=3)
    two = write_lhe(tmp_path / "2.lhe", events([0.5] * 4, seed=2), processes=((1, 500.0),), strategy=3)
    with pytest.raises(
        EventFileError, match=r"1\.lhe states .* 0\.5 pb, .*2\.lhe one of 500 pb: these are two samples"
    ):
        weights_of([one, two], process_info)
    assert weights_of([one, two], process_info, cross_section=0.5).sum() == pytest.approx(0.5)
    assert weights_of([one, two], process_info, normalisation="average").sum() == pytest.approx(0.5)


@pytest.mark.parametrize("gone", [frozenset({3}), frozenset(range(10, 20))])
def test_a_sum_is_still_one_when_events_are_left_out(tmp_path, process_info, gone):
    """The rest sums to less, but the weights of the file mean what they did: the mean of the whole is as before."""
    path = write_lhe(tmp_path / "1.lhe", events([0.025] * 20), processes=((1, 0.5),))
    source, batches = source_of(path, process_info, gone, **CONSTANT)
    assert sum(batch.weight.sum() for batch in batches) == pytest.approx(0.5)
    assert "the sum of the weights" in source.metadata.facts["normalisation"]
    assert source.notes.warnings == []
    other = write_lhe(tmp_path / "2.lhe", events([0.05] * 10, seed=2), processes=((1, 0.5),))
    _, batches = source_of([path, other], process_info, gone, **CONSTANT)
    assert sum(batch.weight.sum() for batch in batches) == pytest.approx(0.5)


def test_weights_that_sum_to_the_cross_section_once_a_wild_event_is_out(tmp_path, process_info):
    path = write_lhe(tmp_path / "1.lhe", events([0.05] * 10 + [1e6]), processes=((1, 0.5),))
    _, batches = source_of(path, process_info, frozenset({10}), **CONSTANT)
    assert sum(batch.weight.sum() for batch in batches) == pytest.approx(0.5)


def test_the_header_of_our_own_generator_against_the_user(tmp_path, process_info):
    def stating(record):
        path = tmp_path / "1.lhe"
        tth_file(path)
        return changed(path, "<header>", f"<header><partonic>{record}</partonic>")

    with pytest.raises(EventFileError, match=r"was generated at θ = \{'a': 0\.5\}, .* import\.theta is \{'a': 1\.0\}"):
        read(stating('{"theta": {"a": 0.5}}'), process_info, theta={"a": 1.0})
    with pytest.raises(EventFileError, match=r"leave import\.theta out"):
        read(stating('{"theta": {"a": 0.5}}'), process_info, theta={"b": 0.0})
    assert read(stating('{"theta": {"a": 0.0}}'), process_info, theta={"b": 0.0}).metadata.theta == {"b": 0.0}
    for odd in ('{"theta": [1]}', '{"theta": {"a": "x"}}', '{"theta": {"a": NaN}}'):
        with pytest.raises(EventFileError, match=r"<partonic> whose theta is .*, expected a number for each parameter"):
            read(stating(odd), process_info)


@pytest.mark.parametrize(("processes", "said"), [(((1, 0.5), (2, 0.0)), "0 pb"), (((1, 0.5),), "not in <init>")])
def test_unit_weights_of_a_process_without_cross_section(tmp_path, process_info, processes, said):
    content = events([1.0] * 4) + events([1.0] * 2, seed=2, process=2)
    path = write_lhe(tmp_path / "1.lhe", content, processes=processes, strategy=3)
    with pytest.raises(EventFileError, match=rf"2 events are of process 2, whose XSECUP is {said}: .*cross_section"):
        weights_of(path, process_info)
    assert weights_of(path, process_info, cross_section=0.6).sum() == pytest.approx(0.6)
    assert weights_of(path, process_info, normalisation="average").sum() == pytest.approx(1.0)
