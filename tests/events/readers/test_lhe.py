import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.events.readers.lhe_files import MONOMIALS, particle, tth_file, tth_particles, write_lhe
from tests.generation.toy_process import ToyProcess

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.estimate import Estimate
from partonic.events.batch import EventBatch
from partonic.events.readers.lhe import read_lhe
from partonic.events.schema import ProcessInfo
from partonic.events.store import NORMALISATION_ERROR
from partonic.generation.chunks import UnweightedEvents
from partonic.generation.lhe import LheContent
from partonic.generation.lhe import write_lhe as write_lhe_of_ours
from partonic.polynomial import Monomials, morphing_basis
from partonic.processes.decay_tree import DecayTree, Resonance

CONSTANT = {"theta_independent": True}


def read(files, process, **settings):
    config = ImportConfig(format="lhe", files=tuple(np.atleast_1d(files)), **settings)
    source = read_lhe(config, process)
    tables = [source.metadata.event_schema.conform(table) for table in source.tables]
    return EventBatch(pa.concat_tables(tables), source.metadata)


@pytest.mark.parametrize("name", ["events.lhe", "events.lhe.gz"])
def test_weights_by_name_become_coefficients(tmp_path, process_info, name):
    truth, momenta, fractions = tth_file(tmp_path / name)
    batch = read(tmp_path / name, process_info, batch_size=7)
    assert np.allclose(batch.coefficients, truth / 20, atol=1e-13)
    assert np.allclose(batch.column("partons"), momenta, rtol=1e-14)
    assert np.allclose(np.stack([batch.column("x1"), batch.column("x2")], -1), fractions)
    assert batch.column("event_id").tolist() == list(range(20))
    assert batch.metadata.weight_names == ()
    assert batch.metadata.n_generated == 20
    assert batch.partons().momenta.shape == (20, 3, 4)
    assert np.allclose(batch.weight, batch.coefficients[:, 0])


def test_files_of_a_sample_are_normalised_together(tmp_path, process_info):
    first, *_ = tth_file(tmp_path / "1.lhe", count=5, seed=1)
    second, *_ = tth_file(tmp_path / "2.lhe.gz", count=15, seed=2)
    batch = read([tmp_path / "1.lhe", tmp_path / "2.lhe.gz"], process_info)
    assert np.allclose(batch.coefficients, np.concatenate([first, second]) / 20)
    assert batch.column("event_id").tolist() == list(range(20))


def test_files_of_different_strategies(tmp_path, process_info):
    tth_file(tmp_path / "1.lhe", count=5)
    tth_file(tmp_path / "2.lhe", count=5, strategy=3)
    with pytest.raises(
        EventFileError, match=r"1\.lhe and .*2\.lhe have different weighting strategies IDWTUP \(-4 and 3\)"
    ):
        read([tmp_path / "1.lhe", tmp_path / "2.lhe"], process_info)


def test_channels_are_those_of_our_own_files_only(tmp_path, process_info):
    tth_file(tmp_path / "own.lhe", partonic=True)
    tth_file(tmp_path / "other.lhe")
    assert read(tmp_path / "own.lhe", process_info).column("channel").tolist() == [0] * 20
    assert not read(tmp_path / "other.lhe", process_info).has("channel")


def test_files_of_our_own_generator(tmp_path):
    process = ToyProcess()
    numbers = torch.rand(50, process.dimensions, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    partons, _ = process.from_unit_cube(numbers)
    channel = torch.arange(50) % 3
    events = UnweightedEvents(
        partons.momenta, partons.x1, partons.x2, channel, torch.zeros_like(channel), process.scale(partons),
        process.alpha_s(partons), torch.randn(50, 3, generator=torch.Generator().manual_seed(6), dtype=torch.float64),
    )  # fmt: skip
    content = LheContent(process.monomials, morphing_basis(process.monomials), {"k": 0.25}, {"seed": 1})
    channels = [Estimate(1.0, 0.1, 50, 50.0)] * 3
    write_lhe_of_ours(tmp_path / "e.lhe.gz", process, content, channels, [events])
    batch = read(tmp_path / "e.lhe.gz", ProcessInfo.of(process))
    assert np.allclose(batch.coefficients, events.coefficients / 50, rtol=0, atol=1e-15)
    assert torch.equal(batch.partons().momenta, events.momenta)
    assert torch.allclose(batch.partons().x1, events.x1, rtol=1e-14)
    assert batch.column("channel").tolist() == channel.tolist()
    assert batch.column("initial_pdg")[:3].tolist() == [[21, 21], [2, -2], [-2, 2]]
    assert batch.metadata.theta == {"k": 0.25}
    assert np.allclose(batch.weight, batch.coefficients @ [1.0, 0.25, 0.0625])
    assert batch.metadata.facts[NORMALISATION_ERROR] == pytest.approx(0.1 / 3**0.5)


def plain(nominal, process=1, **more):
    rng = np.random.default_rng(1)
    return [{"lines": tth_particles(rng)[0], "weight": w, "process": process, **more} for w in nominal]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [(3, [0.2, -0.1, 0.4]), (-4, [2 / 3, -1 / 3, 4 / 3]), (1, [2 / 3, -1 / 3, 4 / 3]), (2, [0.2, -0.1, 0.4])],
)
def test_weighting_strategies(tmp_path, process_info, strategy, expected):
    path = write_lhe(tmp_path / "e.lhe", plain([2.0, -1.0, 4.0]), strategy=strategy)
    batch = read(path, process_info, **CONSTANT)
    assert np.allclose(batch.weight, expected)
    assert np.allclose(batch.coefficients, np.outer(expected, [1, 0, 0, 0, 0, 0]))


def test_cross_section_of_the_configuration(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", plain([2.0, -1.0, 4.0]))
    assert np.isclose(read(path, process_info, cross_section=7.5, **CONSTANT).weight.sum(), 7.5)
    assert np.allclose(read(path, process_info, normalisation="sum", **CONSTANT).weight, [2.0, -1.0, 4.0])


def test_points_stated_by_the_user_and_extra_weights(tmp_path, process_info):
    info = ProcessInfo("tth", ("H", "t", "tbar"), (25, 6, -6), Monomials.up_to_degree(("a",), 2), 13e3)
    named = {"rwgt_1": 3.0, "rwgt_2": 1.0, "mur=2": 1.25, "pdf_7": 0.5}
    path = write_lhe(
        tmp_path / "e.lhe", plain([1.0, 1.0], weights=named), weights=[(n, "x") for n in named], strategy=3
    )
    settings = {"weight_points": {"rwgt_1": {"a": 1.0}, "rwgt_2": {"a": -1.0}}, "nominal_is_point": True}
    batch = read(path, info, **settings)
    assert np.allclose(batch.coefficients, np.array([[1.0, 1.0, 1.0]] * 2) * 0.25)
    assert batch.metadata.weight_names == ("basis_mur_2", "basis_pdf_7")
    assert np.allclose(batch.column("weight_basis_mur_2"), 1.25 * 0.25)
    assert read(path, info, extra_weights=["*pdf*"], **settings).metadata.weight_names == ("basis_pdf_7",)
    assert read(path, info, extra_weights=[], **settings).metadata.weight_names == ()
    points = tmp_path / "points.yaml"
    points.write_text("rwgt_1: {a: 1}\nrwgt_2: {a: -1.0}\n")
    again = read(path, info, weight_points_file=points, nominal_is_point=True)
    assert np.array_equal(again.coefficients, batch.coefficients)


def test_decay_products_know_their_resonance(tmp_path, process_info):
    lines, out, _ = tth_particles(np.random.default_rng(3), decayed=True)
    path = write_lhe(tmp_path / "e.lhe", [{"lines": lines, "weight": 1.0}])
    batch = read(path, process_info, **CONSTANT)
    assert batch.column("partons").tolist() == [np.ravel(out).tolist()]
    assert batch.flat("decay_pdg").tolist() == [5, -5, 5, -11, 12, -5, 1, -2]
    assert batch.flat("decay_origin").tolist() == [25, 25, 6, 6, 6, -6, -6, -6]
    assert batch.counts("decay_partons").tolist() == [32]
    assert batch.column("hadronic_top").tolist() == [-6]


def test_any_final_state(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", plain([1.0]))
    batch = read(path, process_info, partons=(), sample="anything", **CONSTANT)
    assert batch.metadata.process == "anything"
    assert batch.metadata.parton_names == ()
    assert batch.flat("decay_pdg").tolist() == [25, 6, -6]
    assert batch.flat("decay_origin").tolist() == [0, 0, 0]


def malformed(tmp_path, process_info, change, **settings):
    text = tth_file(tmp_path / "e.lhe", count=4) and (tmp_path / "e.lhe").read_text()
    changed = change(text)
    assert changed != text
    (tmp_path / "e.lhe").write_text(changed)
    read(tmp_path / "e.lhe", process_info, **settings)


def second_event(text, change):
    parts = text.split("<event>")
    return "<event>".join([*parts[:2], change(parts[2]), *parts[3:]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[: len(t) // 2], "truncated"),
        (
            lambda t: t.replace("</LesHouchesEvents>", ""),
            r"truncated: it ends after event 3 .*, without </LesHouchesEvents>",
        ),
        (lambda t: t.replace("<init>", "<unit>").replace("</init>", "</unit>"), "no valid <init> block"),
        (lambda t: second_event(t, lambda e: e.replace(" 235.0 0.0078 0.118", "")), "event 1 .* malformed"),
        (lambda t: second_event(t, lambda e: e.replace(" 5 1 ", " 5 one ", 1)), "first line of event 1 .* malformed"),
        (
            lambda t: second_event(t, lambda e: e.replace(" 5 1 ", " 6 1 ", 1)),
            "expected 84 finite numbers .* 6 particles .* got 71",
        ),
        (lambda t: second_event(t, lambda e: e.replace(" 0. 9.", "", 1)), "event 1 .* malformed"),
        (lambda t: second_event(t, lambda e: e.replace(" 25 1 1 2", " 23 1 1 2")), "event 1 .* PDG id 25"),
        (lambda t: second_event(t, lambda e: e.replace(" 21 -1", " 21 1", 1)), "two incoming particles"),
        (lambda t: second_event(t, lambda e: e.replace(" 25 1 1 2", " 25 1 9 2")), "lead nowhere"),
        (lambda t: second_event(t, lambda e: e.replace(" 25 1 1 2", " 25 1 3 3")), "lead nowhere"),
        (lambda t: second_event(t, lambda e: e.replace("235.0", "nan", 1)), "event 1 .* NaN or infinite"),
        (lambda t: second_event(t, lambda e: e.replace('<wgt id="theta_3">', '<wgt id="x">')), "lacks .* 'theta_3'"),
        (lambda t: second_event(t, lambda e: e.replace('<wgt id="theta_3">', "<wgt>")), "event 1 .* malformed"),
        (lambda t: t.replace("6500.0 6500.0", "4000.0 4000.0"), "collide at √S = 8000 GeV"),
        (lambda t: t.replace("6500.0 6500.0", "nan 6500.0"), "collide at the energies"),
        (lambda t: t.replace("2212 2212", "2212 -2212"), r"beams \(IDBMUP\) are 2212 and -2212, expected two protons"),
        (lambda t: t.replace("2212 2212", "-9 -9"), r"beams \(IDBMUP\) are -9 and -9"),
        (lambda t: t.replace(" -4 1", " 9 1"), "IDWTUP must be"),
    ],
)
def test_malformed_files(tmp_path, process_info, change, message):
    with pytest.raises(EventFileError, match=message):
        malformed(tmp_path, process_info, change)


def test_weights_that_are_not_finite(tmp_path, process_info):
    def change(text):
        head, _, tail = text.partition('<wgt id="theta_3">')
        return f'{head}<wgt id="theta_3"> inf </wgt>{tail.partition("</wgt>")[2]}'

    with pytest.raises(EventFileError, match=r"event 0 .*: a weight at a θ point is NaN or infinite"):
        malformed(tmp_path, process_info, change)
    path = write_lhe(tmp_path / "n.lhe", plain([1.0, float("nan")]))
    with pytest.raises(EventFileError, match=r"event 1 .* XWGTUP is nan"):
        read(path, process_info, **CONSTANT)


def test_truncated_gzip_and_missing_files(tmp_path, process_info):
    path = tmp_path / "e.lhe.gz"
    tth_file(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(EventFileError, match="truncated or damaged"):
        read(path, process_info)
    with pytest.raises(EventFileError, match="not found"):
        read(tmp_path / "no.lhe", process_info)


def test_weights_without_theta(tmp_path, process_info):
    path = write_lhe(tmp_path / "e.lhe", plain([1.0]))
    with pytest.raises(EventFileError, match="theta_independent"):
        read(path, process_info)


REAL = {
    "pylhe-testfile-madgraph-2.0.0-wbj.lhe": (8e3, "the mean of"),
    "pylhe-testfile-madgraph5-3.5.8-pp_to_jj.lhe.gz": (13e3, "the mean of"),
    "pylhe-testfile-powheg-box-v2-hvq.lhe": (5020.0, "the mean of"),
    "pylhe-testlhef3.lhe": (8e3, "the mean of"),
}


@pytest.mark.parametrize("name", REAL)
def test_files_of_generators(real_data, name):
    energy, rule = REAL[name]
    info = ProcessInfo("any", (), (), MONOMIALS, energy)
    batch = read(real_data / name, info, **CONSTANT)
    text = (real_data / name).read_bytes()
    if name.endswith(".gz"):
        import gzip

        text = gzip.decompress(text)
    assert len(batch) == text.count(b"</event>")
    import pylhe

    events = list(pylhe.LesHouchesEvents.fromfile(str(real_data / name)).events)
    momenta = batch.flat("decay_partons").reshape(-1, 4)
    expected = [(p.e, p.px, p.py, p.pz) for event in events for p in event.particles if p.status == 1]
    assert momenta.tolist() == [list(p) for p in expected]
    assert rule in batch.metadata.facts["normalisation"]
    raw = np.array([event.eventinfo.weight for event in events])
    assert np.allclose(batch.weight / batch.weight[0], raw / raw[0])
    for column, number in zip(batch.metadata.weight_names, events[0].weights, strict=True):
        values = [event.weights[number] for event in events]
        assert np.allclose(batch.column(f"weight_{column}") / batch.weight, values / raw)


@pytest.mark.parametrize(
    ("name", "beams"),
    [
        ("pylhe-testfile-pythia-6.413-ttbar.lhe", "2212 and -2212"),
        ("pylhe-testfile-sherpa-3.0.1-eejjj.lhe", "11 and -11"),
    ],
)
def test_other_colliders_are_refused(real_data, name, beams):
    info = ProcessInfo("any", (), (), MONOMIALS, 1960.0)
    with pytest.raises(EventFileError, match=rf"beams \(IDBMUP\) are {beams}, expected two protons"):
        read(real_data / name, info, **CONSTANT)


def test_momentum_fractions_give_the_energy_of_the_final_state(real_data, tmp_path):
    info = ProcessInfo("ttbar", (), (), MONOMIALS, 1960.0)
    text = (real_data / "pylhe-testfile-pythia-6.413-ttbar.lhe").read_text()
    path = tmp_path / "as_of_protons.lhe"
    path.write_text(text.replace("    2212   -2212 ", "    2212    2212 "))
    batch = read(path, info, partons=(6, -6), **CONSTANT)
    assert batch.metadata.parton_names == ("t", "tbar")
    total = batch.partons().momenta.sum(1).numpy()
    s_hat = batch.column("x1") * batch.column("x2") * 1960.0**2
    assert np.allclose(s_hat, total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(-1), rtol=1e-5)
    assert np.isclose(batch.weight.sum(), 5.220106 + 0.2602564, rtol=1e-6)
    assert set(batch.flat("decay_origin").tolist()) == {6, -6}
    assert particle(6, 1, (0, 0), (1.0, 0.0, 0.0, 0.0)).startswith(" 6 1")


WZ_TREE = DecayTree(
    (Resonance("W", (24, -24), (0, 1), "matrix element"), Resonance("Z", (23,), (2, 3), "matrix element"))
)
WZ_STATES = ((-11, 12, 13, -13), (11, -12, 13, -13))


def wz_lines(final, resonances):
    """u d̄ or ū d, W and Z if wanted, and four leptons (ℓ_W, ν, ℓ⁻, ℓ⁺), in an order of their own."""
    momenta = [(50.0, 30.0, 40.0, 0.0), (50.0, -30.0, -40.0, 0.0), (50.0, 0.0, 40.0, 30.0), (50.0, 0.0, -40.0, -30.0)]
    sign = 1 if final[1] > 0 else -1
    lines = [
        particle(2 * sign, -1, (0, 0), (100.0, 0.0, 0.0, 100.0)),
        particle(-1 * sign, -1, (0, 0), (100.0, 0.0, 0.0, -100.0)),
    ]
    mothers = [(1, 2)] * 4
    if resonances:
        lines += [
            particle(24 * sign, 2, (1, 2), (100.0, 0, 0, 0), 100.0),
            particle(23, 2, (1, 2), (100.0, 0, 0, 0), 100.0),
        ]
        mothers = [(3, 3), (3, 3), (4, 4), (4, 4)]
    order = [3, 1, 0, 2]
    return lines + [particle(final[slot], 1, mothers[slot], momenta[slot]) for slot in order], momenta


@pytest.mark.parametrize("resonances", [True, False])
def test_channels_with_final_states_of_their_own(tmp_path, resonances):
    info = ProcessInfo("wz", ("l", "nu", "lm", "lp"), WZ_STATES[0], MONOMIALS, 13e3, WZ_STATES, WZ_TREE)
    chosen = [WZ_STATES[0], WZ_STATES[1], WZ_STATES[0]]
    made = [wz_lines(final, resonances) for final in chosen]
    path = write_lhe(tmp_path / "e.lhe", [{"lines": lines, "weight": 1.0, "process": 1} for lines, _ in made])
    batch = read(path, info, **CONSTANT)
    assert batch.column("parton_pdg").tolist() == [list(final) for final in chosen]
    assert np.allclose(batch.partons().momenta.numpy(), [momenta for _, momenta in made])
    # in the order of the file; the boson is known whether the file has it or not
    assert batch.table["decay_origin"].to_pylist() == [[23, w, w, 23] for w in (24, -24, 24)]
    assert set(batch.column("hadronic_top").tolist()) == {0}


def test_event_of_none_of_the_final_states(tmp_path):
    info = ProcessInfo("wz", ("l", "nu", "lm", "lp"), WZ_STATES[0], MONOMIALS, 13e3, WZ_STATES, WZ_TREE)
    lines, _ = wz_lines((-13, 14, 13, -13), resonances=True)
    path = write_lhe(tmp_path / "e.lhe", [{"lines": lines, "weight": 1.0, "process": 1}])
    expected = r"event 0 .*has the final state -13, 14, -13, 13, expected one of the process 'wz': -11, 12, 13, -13; 11"
    with pytest.raises(EventFileError, match=expected):
        read(path, info, **CONSTANT)
