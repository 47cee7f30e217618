"""From an LHE file without weights to a store with coefficients, by the step `import` of an analysis."""

import numpy as np
import pytest
from tests.events.readers.lhe_files import particle, write_lhe
from tests.reweighting.conftest import MODEL_NAMES, own_table
from tests.reweighting.test_run import deviation, own

from partonic.config.analysis import AnalysisConfig
from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError
from partonic.events.importing import ImportResult
from partonic.events.store import EventStore
from partonic.reweighting import run
from partonic.reweighting.imported import import_reweighted
from partonic.workflow.runner import run_analysis


def lhe_file(path, table, digits=17):
    """Write events of the table; the last digits of momenta are lost as in files of generators."""
    events = []
    for row in table.to_pylist():
        half = 6500.0
        partons = np.array(row["partons"]).reshape(3, 4)
        partons = np.vectorize(lambda value: float(f"{value:.{digits - 1}e}"))(partons)
        beams = [(row["x1"] * half, 0.0, 0.0, row["x1"] * half), (row["x2"] * half, 0.0, 0.0, -row["x2"] * half)]
        lines = [particle(pdg, -1, (0, 0), beam) for pdg, beam in zip(row["initial_pdg"], beams, strict=True)]
        lines += [particle(pdg, 1, (1, 2), q) for pdg, q in zip((25, 6, -6), partons.tolist(), strict=True)]
        events.append({"lines": lines, "weight": row["weight"]})
    return write_lhe(path, events)


@pytest.fixture
def analysis(tmp_path, settings):
    """Return an analysis of ttH events in an LHE file; keywords change `import.reweight`."""

    def make(**changes):
        reweight = settings(**changes).model_dump(exclude_defaults=True)
        files = [str(tmp_path / "events.lhe")]
        section = {"format": "lhe", "files": files, "reweight": reweight}
        return AnalysisConfig.model_validate({"name": "toy", "output": tmp_path / "out", "import": section})

    return make


def test_from_a_file_without_weights_to_coefficients(tmp_path, analysis, quark_table):
    lhe_file(tmp_path / "events.lhe", quark_table)
    (outcome,) = run_analysis(analysis(), steps=["import"])
    store = EventStore.open(tmp_path / "out" / "import" / "events.parquet")
    found = store.read(["coefficients", "weight"])
    scale = found.weight / np.asarray(quark_table.column("weight"))
    assert deviation(found.coefficients, scale[:, None] * own(quark_table)) < 1e-8
    assert np.ptp(scale) < 1e-12 * scale[0]
    assert store.metadata.parameters == tuple(MODEL_NAMES)
    assert store.metadata.facts["nominal_weight"] == "XWGTUP"
    assert store.metadata.config["import"]["reweight"]["engine"] == "ufoamp"
    assert "24 events imported" in outcome.summary
    assert "24 events reweighted by ufoamp" in outcome.summary
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["events.parquet"]
    (again,) = run_analysis(analysis(workers=2, chunk_events=1), steps=["import"])
    assert not again.ran  # how the work is shared out does not matter
    (other,) = run_analysis(analysis(check_points=1), steps=["import"])
    assert other.ran


def test_rounded_momenta(tmp_path, analysis):
    table = own_table([(2, -2)], 6)
    lhe_file(tmp_path / "events.lhe", table, digits=11)
    run_analysis(analysis(), steps=["import"])
    found = EventStore.open(tmp_path / "out" / "import" / "events.parquet").read(["coefficients", "weight"])
    scale = found.weight / np.asarray(table.column("weight"))
    assert 1e-15 < deviation(found.coefficients, scale[:, None] * own(table)) < 1e-8


def test_an_interrupted_import_goes_on(tmp_path, analysis, quark_table, monkeypatch):
    lhe_file(tmp_path / "events.lhe", quark_table)
    write, done = run.write_part, []

    def write_two(path, chunk):
        if len(done) == 2:
            raise KeyboardInterrupt
        write(path, chunk)
        done.append(path.name)

    monkeypatch.setattr(run, "write_part", write_two)
    with pytest.raises(KeyboardInterrupt):
        run_analysis(analysis(chunk_events=6), steps=["import"])
    again = []
    monkeypatch.setattr(run, "write_part", lambda path, chunk: (again.append(path.name), write(path, chunk)))
    run_analysis(analysis(chunk_events=6), steps=["import"])
    assert len(done) + len(again) == 4
    assert not set(done) & set(again)


def test_what_is_refused(tmp_path, analysis, quark_table, ufo_model):
    lhe_file(tmp_path / "events.lhe", quark_table)
    with pytest.raises(ConfigError, match=r"runs with your rights.*trust_model: true"):
        run_analysis(analysis(trust_model=False), steps=["import"])
    with pytest.raises(ConfigError, match=r"there is no model .*import\.reweight\.model"):
        run_analysis(analysis(model=tmp_path / "absent"), steps=["import"])
    plain = ImportConfig(format="lhe", files=["a.lhe"])
    with pytest.raises(ConfigError, match="no key `reweight`"):
        import_reweighted(plain, tmp_path / "out.parquet", lambda section, path: ImportResult(path, 0, None, None))
