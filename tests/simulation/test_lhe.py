"""LHE files: facts, chunks, and what can be wrong with a file."""

import gzip

import numpy as np
import pytest

from partonic.errors import EventFileError
from partonic.simulation.lhe_chunk import parse_chunk
from partonic.simulation.lhe_source import event_texts, lhe_facts

TINY = """<LesHouchesEvents version="3.0">
<header>
<initrwgt>
<weightgroup name='basis'>
<weight id='one'> a=0.0 </weight>
<weight id="two"> a=1.0 &amp; more</weight>
</weightgroup>
</initrwgt>
</header>
<init>
2212 2212 6.5D+03 6500. 0 0 0 0 -4 2
1.0 0.1 1.0 1
2.0 0.1 1.0 4
</init>
<event>
 4  4 -2.5E+00 100. 0.0078 0.118
 21 -1 0 0 1 2 0. 0. 500. 500. 0. 0. 9.
 21 -1 0 0 2 1 0. 0. -300. 300. 0. 0. 9.
 25 2 1 2 0 0 10. 0. 100. 400.0D+00 125. 0. 9.
 21 1 1 2 0 0 -10. 0. 100. 400. 0. 0. 9.
# a comment
<scales muf='100.0'/>
<rwgt>
<wgt id='one'> 1.5 </wgt>
<wgt id="two">-0.25</wgt>
</rwgt>
</event>
<event npLO="1">
 0 1 1.0 100. 0.0078 0.118
</event>
</LesHouchesEvents>
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.lhe"
    path.write_text(TINY)
    return path


def test_facts(tiny):
    facts = lhe_facts(tiny)
    assert (facts.num_events, facts.strategy) == (2, -4)
    assert facts.beams == (2212, 2212)
    assert facts.beam_energies == (6500.0, 6500.0)
    assert facts.weights == {"one": "a=0.0", "two": "a=1.0 & more"}
    assert facts.sums[4].count == 1
    assert facts.sums[4].total == -2.5
    assert facts.sums[1].cross_section == 1.0


def test_chunk(tiny):
    chunk = parse_chunk(list(event_texts(tiny))[:1], 7, ["two", "one"])
    assert chunk.event_ids.tolist() == [7]
    assert chunk.facts[0].tolist() == [4, 4, -2.5, 100.0, 0.0078, 0.118]
    assert chunk.momenta[2].tolist() == [400.0, 10.0, 0.0, 100.0]
    assert chunk.named_weights.tolist() == [[-0.25, 1.5]]
    assert chunk.incoming().tolist() == [[0, 1]]


def test_events_of_a_real_chunk(chunk, tth):
    partons, pdg = chunk.partons(tth)
    assert (pdg == (25, 6, -6)).all()
    incoming = chunk.momenta[chunk.incoming()].sum(axis=1)
    np.testing.assert_allclose(partons.sum(axis=1), incoming, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(partons[:, 1:, 0] ** 2 - (partons[:, 1:, 1:] ** 2).sum(-1), 172.5**2, rtol=1e-3)


def test_missing_parton(tiny, tth):
    chunk = parse_chunk(list(event_texts(tiny))[:1], 7)
    with pytest.raises(EventFileError, match="event 7 of the LHE file has no t, which"):
        chunk.partons(tth)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("100.0D+00", "12", None),
        (" 21 1 1 2 0 0 -10. 0. 100. 400. 0. 0. 9.\n", "", "expected 58 finite numbers.*got 45"),
        ("-300. 300.", "-300. three", "expected a number, got 'three'"),
        ("-300. 300.", "-300. nan", "expected"),
        ("<wgt id='one'> 1.5 </wgt>", "", "event 0 of the LHE file lacks the weight 'one'"),
        ("<wgt id='one'> 1.5 <", "<wgt id='one'> x <", "a weight that is no number"),
    ],
)
def test_malformed_event(tiny, old, new, message):
    tiny.write_text(TINY.replace(old, new))
    texts = list(event_texts(tiny))[:1]
    if message is None:
        assert len(parse_chunk(texts, 0, ["one"])) == 1
        return
    with pytest.raises(EventFileError, match=message):
        parse_chunk(texts, 0, ["one"])


def test_truncated_text(tmp_path):
    path = tmp_path / "cut.lhe"
    path.write_text(TINY[: TINY.index("# a comment")])
    with pytest.raises(EventFileError, match=r"cut\.lhe is truncated: it ends within event 0"):
        lhe_facts(path)


def test_truncated_gzip(lhe, tmp_path):
    path = tmp_path / "cut.lhe.gz"
    path.write_bytes(lhe.read_bytes()[:20_000])
    with pytest.raises(EventFileError, match=r"cut\.lhe\.gz is truncated or damaged"):
        lhe_facts(path)


def test_damaged_gzip(tmp_path):
    whole = bytearray(gzip.compress(TINY.encode() * 50))
    whole[200:210] = b"\0" * 10
    path = tmp_path / "bad.lhe.gz"
    path.write_bytes(bytes(whole))
    with pytest.raises(EventFileError, match="truncated or damaged"):
        lhe_facts(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-4 2\n", "-4 3\n", "no valid <init> block"),
        ("<init>", "<noinit>", "no valid <init> block"),
        (" 0 1 1.0 100.", " what", "event 1 is malformed"),
    ],
)
def test_malformed_file(tiny, old, new, message):
    tiny.write_text(TINY.replace(old, new))
    with pytest.raises(EventFileError, match=message):
        lhe_facts(tiny)


def test_no_such_file(tmp_path):
    with pytest.raises(EventFileError, match="cannot read the event file"):
        lhe_facts(tmp_path / "absent.lhe")
