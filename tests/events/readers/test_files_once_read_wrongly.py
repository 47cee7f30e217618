"""Files that were read wrongly, or not at all: each is read right or refused (`tests/reference/event_files`)."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from partonic.config.importing import ImportConfig
from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.importing import import_events
from partonic.events.schema import ProcessInfo
from partonic.events.store import EventStore
from partonic.processes.tth.settings import TthConfig
from partonic.simulation.import_particles import import_particles

TRUTH = (0.5, -0.02795, -0.03617, 0.00223, 0.18143, 0.18458, 0.17620, 0.16108, 0.17389, 0.16816)
"""Coefficients of the cross section in pb, in the order of the monomials; rounded to 10⁻⁵."""

THETA = (
    (0, 0, 0),
    (1, 0, 0),
    (-1, 0, 0),
    (0, 1, 0),
    (0, -1, 0),
    (0, 0, 1),
    (0, 0, -1),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
)


def points(names):
    parameters = ("delta_kappa_t", "kappa_tilde_t", "c_tG")
    return {
        name: dict(zip(parameters, map(float, theta), strict=True)) for name, theta in zip(names, THETA, strict=True)
    }


LHE = {"format": "lhe"}
NANO = {
    "format": "nanoaod", "cross_section": 0.5, "btag": {"branch": "Jet_btagDeepFlavB", "working_point": 0.3},
    "weight_points": points(map(str, range(10))),
}  # fmt: skip
UPART = NANO | {"btag": {"branch": "Jet_btagUParTAK4B", "working_point": 0.3}}
DELPHES = {"format": "delphes", "weight_points": points(map(str, range(10)))}
HEPMC = {"format": "hepmc", "weight_points": points(f"rwgt_{number}" for number in range(1, 11))}
PUPPI = {f"jet_{ours}": f"JetPUPPI.{theirs}" for ours, theirs in
         (("pt", "PT"), ("eta", "Eta"), ("phi", "Phi"), ("mass", "Mass"), ("btag", "BTag"))}  # fmt: skip


@dataclass(frozen=True)
class Read:
    """What is read of files: settings, number of events, scale of the truth (None: of σ alone), what must be said."""

    files: tuple[str, ...]
    settings: dict = field(default_factory=lambda: LHE)
    events: int = 20
    scale: float | None = 1.0
    said: str = ""


GOOD = [
    Read(("base.lhe",)),
    Read(("rwgt_over_n.lhe",), said="multiplied by 20"),
    Read(("rwgt_relative.lhe",), said="multiplied by 0.5"),
    Read(("cat.lhe",), LHE | {"duplicates": "keep"}, events=40, said="kept 20 events that the files have twice"),
    Read(("cat.lhe",), LHE | {"duplicates": "drop"}, said="left out 20 events that the files have twice"),
    Read(("comment_event.lhe",)),
    Read(("cdata.lhe",)),
    Read(("lt.lhe",)),
    Read(("latin1.lhe",)),
    Read(("dexp.lhe",)),
    Read(("nested.lhe",)),
    Read(("nano_base.root",), NANO),
    Read(("nano_rwscale.root",), NANO, said="multiplied by 50"),
    Read(("nano_v6sumw.root",), NANO, scale=1e-3),
    Read(("nano_skim.root",), NANO, scale=1e-3),
    Read(("nano_base.root", "nano_nops.root"), NANO, events=40, scale=None, said="PSWeight"),
    Read(("nano_rnt.root",), NANO),
    Read(("nano_hole5.root",), NANO, said="LHEScaleWeight"),
    Read(("nano_hole5.root",), NANO | {"extra_weights": ["ps_*"]}),
    Read(("nano_base.root", "nano_s8.root"), NANO | {"extra_weights": ()}, events=40, scale=None),
    Read(("nano_upart.root",), UPART, scale=None),
    Read(("delphes_base.root",), DELPHES),
    Read(("delphes_phase2.root",), DELPHES | {"branches": {"jets": "JetPUPPI"}}),
    Read(("wscale.hepmc",), HEPMC, events=6, said="multiplied by 6"),
]

BAD = [
    (("cat.lhe",), LHE, r"cat\.lhe: event 20 .* is the same event as .* event 0 .*, and so for 19 more"),
    (("f1.lhe", "f3.lhe"), LHE, r"f3\.lhe.*f1\.lhe|f1\.lhe.*f3\.lhe"),
    (("huge11.lhe",), LHE, r"event 7 \(the first is 0\): its weight"),
    (("zeroed.lhe",), LHE, r"event 7 \(the first is 0\): its weights at the θ points give 0 pb"),
    (("illcond.lhe",), LHE, r"condition number of the system is 7\.5e\+12"),
    (("base.lhe",), LHE | {"weight_points_file": "pts_dup.yaml"}, r"pts_dup\.yaml:11: key 'rwgt_2' is given twice"),
    (
        ("nano_skim.root", "nano_noruns2.root"),
        NANO,
        r"nano_skim\.root.*nano_noruns2\.root|nano_noruns2.*nano_skim\.root",
    ),
    (("nano_upart.root",), NANO, r"lacks the branch Jet_btagDeepFlavB"),
    (("nano_base.root", "nano_upart.root"), NANO, r"nano_upart\.root lacks the branch Jet_btagDeepFlavB"),
    (
        ("nano_base.root", "nano_upart.root"),
        NANO | {"btag": {"working_point": 0.3}},
        r"nano_base\.root.*nano_upart\.root|nano_upart.*nano_base\.root",
    ),
    (("delphes_phase2.root",), DELPHES | {"branches": PUPPI}, r"JetPUPPI.*Jet\.Flavor|Jet\.Flavor.*JetPUPPI"),
    (
        ("delphes_base.root", "delphes_now.root"),
        DELPHES,
        r"delphes_now\.root.*delphes_base\.root|delphes_base.*delphes_now",
    ),
]


@pytest.fixture(scope="session")
def folder(repository):
    return repository / "tests" / "reference" / "event_files"


@pytest.fixture(scope="session")
def tth():
    return ProcessInfo.of_config(TthConfig(collider_energy=13_000.0))


def imported(files, settings, folder, tth, output):
    settings = {**settings, "files": [folder / name for name in files]}
    if "weight_points_file" in settings:
        settings["weight_points_file"] = folder / settings["weight_points_file"]
    config = ImportConfig(**settings)
    if config.format == "hepmc":
        return import_particles(config, tth, SimulationConfig(), 1, output)
    return import_events(config, tth, output)


@pytest.mark.parametrize("case", GOOD, ids=lambda case: f"{'+'.join(case.files)}-{len(str(case.settings))}")
def test_read_right(case, folder, tth, tmp_path):
    result = imported(case.files, case.settings, folder, tth, tmp_path / "events.parquet")
    found = np.array(EventStore.open(result.path).metadata.cross_section.coefficients)
    assert result.num_events == case.events
    if case.settings["format"] == "hepmc" or case.scale is None:
        assert found[0] == pytest.approx(0.5)
    else:
        assert np.allclose(found, case.scale * np.array(TRUTH), rtol=0, atol=1e-5 * max(case.scale, 1e-2))
    assert any(case.said in warning for warning in result.warnings) or not case.said
    if not case.said:
        assert result.warnings == ()


@pytest.mark.parametrize(
    ("files", "settings", "message"), BAD, ids=lambda value: "+".join(value) if isinstance(value, tuple) else None
)
def test_refused(files, settings, message, folder, tth, tmp_path):
    with pytest.raises((EventFileError, ConfigError), match=message):
        imported(files, settings, folder, tth, tmp_path / "events.parquet")
    assert not list(tmp_path.iterdir())


def test_events_without_weights_have_weight_one(folder, tth, tmp_path):
    settings = {"format": "hepmc", "theta_independent": True}
    result = imported(("noweights.hepmc",), settings, folder, tth, tmp_path / "events.parquet")
    store = EventStore.open(result.path)
    assert len(set(store.read(["weight"]).weight.tolist())) == 1
    assert store.metadata.cross_section.coefficients[0] == pytest.approx(0.5)
