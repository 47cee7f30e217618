"""Event files: written and read back exactly, read by Pythia 8 without complaint, and clear about damage."""

import gzip
import json
import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pylhe
import pytest
import torch
from tests.generation.toy_process import ToyProcess

from partonic.errors import EventFileError, OutputError
from partonic.estimate import Estimate
from partonic.generation.chunks import Target, UnweightedEvents, generate_chunk
from partonic.generation.lhe import LheContent, basis_weight_names, read_content, read_lhe, write_lhe
from partonic.generation.vegas import VegasSampler
from partonic.polynomial import morphing_basis

CHANNELS = [Estimate(2.0, 0.01, 100, 90.0), Estimate(0.5, 0.01, 100, 90.0), Estimate(0.25, 0.01, 100, 90.0)]


@pytest.fixture(scope="module")
def events(process: ToyProcess) -> UnweightedEvents:
    theta = torch.tensor([0.5], dtype=torch.float64)
    monomials = torch.from_numpy(process.monomials.evaluate([0.5]))
    target = Target(process, monomials, theta, VegasSampler.uniform(7, 1), 60.0, "keep")
    chunk = generate_chunk(target, 40_000, torch.Generator().manual_seed(4))
    return replace(chunk.events, coefficients=chunk.events.coefficients * 2.7)


@pytest.fixture(scope="module")
def content(process: ToyProcess) -> LheContent:
    basis = morphing_basis(process.monomials, {"k": 0.5})
    return LheContent(process.monomials, basis, {"k": 0.5}, {"note": "a < b & c > d", "seed": 4})


@pytest.fixture(scope="module")
def path(
    process: ToyProcess, events: UnweightedEvents, content: LheContent, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("lhe") / "events.lhe.gz"
    assert write_lhe(path, process, content, CHANNELS, [events[:500], events[500:]]) == len(events)
    return path


def damaged(path: Path, folder: Path, old: str, new: str) -> Path:
    text = gzip.decompress(path.read_bytes()).decode()
    assert old in text
    result = folder / "damaged.lhe"
    result.write_text(text.replace(old, new, 1))
    return result


def test_events_come_back_exactly(path: Path, events: UnweightedEvents) -> None:
    batches = list(read_lhe(path, batch_size=300))
    assert max(len(batch) for batch in batches) == 300
    assert sum(len(batch) for batch in batches) == len(events)
    for name in ("momenta", "channel", "colour_flow", "scale", "alpha_s"):
        assert torch.equal(torch.cat([getattr(batch, name) for batch in batches]), getattr(events, name))
    for name in ("x1", "x2"):
        torch.testing.assert_close(
            torch.cat([getattr(batch, name) for batch in batches]), getattr(events, name), rtol=1e-15, atol=0
        )


def test_coefficients_are_solved_back(path: Path, events: UnweightedEvents) -> None:
    found = torch.cat([batch.coefficients for batch in read_lhe(path)])
    size = events.coefficients.abs().amax(dim=1, keepdim=True)
    assert float(((found - events.coefficients).abs() / size).max()) < 1e-10


def test_header_says_what_made_the_file(path: Path, content: LheContent) -> None:
    found = read_content(path)
    assert found.monomials == content.monomials
    np.testing.assert_array_equal(found.basis, content.basis)
    assert found.theta == {"k": 0.5}
    assert found.metadata["note"] == "a < b & c > d"


def test_other_programs_find_the_weights(path: Path, events: UnweightedEvents, content: LheContent) -> None:
    """Read with pylhe alone, as another program would."""
    file = pylhe.LHEFile.fromfile(path)
    assert file.init.initInfo.weightingStrategy == -4
    assert [one.xSection for one in file.init.procInfo] == [2.0, 0.5, 0.25]
    declared = file.header.initrwgt.weights_by_id()
    assert [declared[name].name for name in basis_weight_names(3)] == ["k=0.0", "k=0.5", "k=-0.5"]
    event = next(iter(file.events))
    coefficients = events.coefficients[0].numpy()
    assert event.eventinfo.weight == pytest.approx(coefficients @ [1.0, 0.5, 0.25], rel=1e-14)
    for name, point in zip(basis_weight_names(3), content.basis[:, 0], strict=True):
        assert event.weights[name] == pytest.approx(coefficients @ [1.0, point, point**2], rel=1e-14)


def test_momentum_is_conserved_and_masses_are_on_shell(path: Path, process: ToyProcess) -> None:
    for event in list(pylhe.LHEFile.fromfile(path).events)[:200]:
        momenta = np.array([(p.e, p.px, p.py, p.pz) for p in event.particles])
        np.testing.assert_allclose(momenta[:2].sum(axis=0), momenta[2:].sum(axis=0), atol=1e-9 * momenta[:2, 0].sum())
        squares = momenta[:, 0] ** 2 - (momenta[:, 1:] ** 2).sum(axis=1)
        masses = np.array([0.0, 0.0, *(particle.mass for particle in process.final_state)])
        np.testing.assert_allclose(squares, masses**2, atol=1e-10 * momenta[:, 0].max() ** 2)


def test_pythia_reads_the_file_without_complaint(
    path: Path, events: UnweightedEvents, content: LheContent, capfd: pytest.CaptureFixture[str]
) -> None:
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    settings = ("Beams:frameType = 4", f"Beams:LHEF = {path}", "PartonLevel:MPI = off")
    for setting in settings:
        assert pythia.readString(setting)
    assert pythia.init()
    at_basis = content.monomials.evaluate(content.basis)
    for number in range(100):
        assert pythia.next()
        info = pythia.infoPython()
        coefficients = events.coefficients[number].numpy()
        assert info.weight() == pytest.approx(coefficients @ [1.0, 0.5, 0.25], rel=1e-12)
        found = {info.weightNameByIndex(k): info.weightValueByIndex(k) for k in range(info.numberOfWeights())}
        expected = dict(zip(basis_weight_names(3), at_basis @ coefficients, strict=True))
        assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    pythia.stat()
    output = capfd.readouterr().out
    assert "PYTHIA Event and Cross Section Statistics" in output
    assert "Error in" not in output
    assert "LHA" not in output.partition("PYTHIA Event and Cross Section Statistics")[2]


def test_bytes_depend_on_the_events_only(
    process: ToyProcess, events: UnweightedEvents, content: LheContent, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_lhe(tmp_path / name, process, content, CHANNELS, [events[:50]])
        time.sleep(1.1 if name == "a" else 0.0)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_truncated_file(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    (tmp_path / "torn.lhe.gz").write_bytes(content[: len(content) // 2])
    with pytest.raises(EventFileError, match=r"torn\.lhe\.gz is malformed after event \d+, or truncated"):
        list(read_lhe(tmp_path / "torn.lhe.gz", 10))


def test_truncated_text(path: Path, tmp_path: Path) -> None:
    text = gzip.decompress(path.read_bytes()).decode()
    (tmp_path / "torn.lhe").write_text(text[: text.index("</event>") - 20])
    with pytest.raises(EventFileError, match="malformed after event 0, or truncated"):
        list(read_lhe(tmp_path / "torn.lhe"))


def test_missing_weight(path: Path, tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match=r"event 0 of .* has no weight 'theta_1'"):
        list(read_lhe(damaged(path, tmp_path, "<wgt id='theta_1'>", "<wgt id='other'>")))


def test_foreign_colours(path: Path, tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match=r"event 0 of .* has colour lines"):
        list(read_lhe(damaged(path, tmp_path, " 1 1 2 501 0 ", " 1 1 2 599 0 ")))


def test_file_of_another_program(path: Path, tmp_path: Path) -> None:
    text = gzip.decompress(path.read_bytes()).decode()
    start, stop = text.index("<partonic>"), text.index("</partonic>") + len("</partonic>")
    (tmp_path / "other.lhe").write_text(text[:start] + text[stop:])
    with pytest.raises(EventFileError, match="has no header <partonic>"):
        read_content(tmp_path / "other.lhe")


def test_damaged_header(path: Path, tmp_path: Path) -> None:
    with pytest.raises(EventFileError, match=r"header <partonic> of .* is damaged"):
        read_content(damaged(path, tmp_path, '"exponents"', '"exponent"'))


@pytest.mark.parametrize("text", ["", "no events here"])
def test_not_an_event_file(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.lhe").write_text(text)
    with pytest.raises(EventFileError, match="is not a Les Houches event file"):
        read_content(tmp_path / "x.lhe")


def test_unwritable_place_is_an_output_error(
    process: ToyProcess, events: UnweightedEvents, content: LheContent, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write"):
        write_lhe(tmp_path / "file" / "x.lhe.gz", process, content, CHANNELS, [events])


def test_header_is_json_without_nan(path: Path) -> None:
    text = gzip.decompress(path.read_bytes()).decode()
    record = text[text.index("<partonic>") + 10 : text.index("</partonic>")]
    assert "NaN" not in record
    assert math.isclose(json.loads(record.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))["seed"], 4)
