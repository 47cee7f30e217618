"""The matrix element method of tHq, H → γγ and a hadronic top, from toy events to coefficients, with tiny networks."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.mem.single_top_toys import PROCESS, write_single_top_store

from partonic.config import load_analysis
from partonic.config.mem import MemConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.errors import ModelError, SchemaError
from partonic.events.store import EventStore
from partonic.inference.coefficients.coefficients_file import read_coefficients
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.mem.integral.importance_sampling import EventIntegrator
from partonic.mem.integral.integrate_events import hypothesis_of_store, integrate_events
from partonic.mem.models import Hypothesis, load_components
from partonic.mem.store_decays import check_objects
from partonic.mem.train import train_mem
from partonic.mem.transfer.layout import TransferLayout
from partonic.processes.thq.settings import ThqConfig

CONFIG = MemNetworksConfig(
    preset="tiny",
    parts=("acceptance", "transfer", "initial_state", "proposal"),
    transfer={"candidates": 4},
    proposal={"drawn": {"events": 400}, "training": {"reflections": True}},
)
HYPOTHESIS = Hypothesis(ThqConfig(), "hadronic", 0.5, "photons")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy store, and networks trained on it."""
    place = tmp_path_factory.mktemp("single_top")
    store = write_single_top_store(place / "events.parquet")
    lines = train_mem([store], ThqConfig(), CONFIG, 1, place / "models")
    names = ["acceptance", "initial state", "transfer function", "proposal"]
    assert [line.partition(":")[0] for line in lines] == names
    return place


def test_from_events_to_coefficients(folder: Path) -> None:
    config = MemConfig(
        model=folder / "models", base={"kind": "gaussian"}, points={"first": 100, "maximum": 100}, max_events=12,
        normalisation={"method": "process", "points": 2000}, workers=1,
    )  # fmt: skip
    store, output = folder / "events.parquet", folder / "coefficients.parquet"
    integrate_events(store, output, HYPOTHESIS, config, 1)
    found, _ = read_coefficients(output)
    assert len(found) == 12
    usable = found.usable()
    assert usable.sum() >= 10
    assert np.isfinite(found.ratios[usable]).all()
    assert found.ratios.shape[1] == len(PROCESS.monomials) == 6


def test_a_transfer_function_of_flow_matching_serves_as_well(folder: Path) -> None:
    """Trained by the section of an analysis, found in the folder of models, and integrated over."""
    models = folder / "flow"
    flow = {"head": "flow_matching", "candidates": 4, "flow": {"width": 8, "solver": {"steps": 2}}}
    training = MemNetworksConfig(preset="tiny", parts=("transfer",), transfer=flow)
    train_mem([folder / "events.parquet"], ThqConfig(), training, 1, models)
    for part in ("acceptance", "proposal"):
        shutil.copytree(folder / "models" / part, models / part)
    config = MemConfig(
        model=models, base={"kind": "gaussian"}, points={"first": 100, "maximum": 100}, max_events=6,
        normalisation={"method": "process", "points": 2000}, workers=1,
    )  # fmt: skip
    output = folder / "flow.parquet"
    integrate_events(folder / "events.parquet", output, HYPOTHESIS, config, 1)
    found, _ = read_coefficients(output)
    assert found.usable().sum() >= 5
    assert np.isfinite(found.ratios[found.usable()]).all()


@pytest.mark.parametrize("name", ["thq_quick", "thq_mem_training"])
def test_shipped_models_are_made_for_the_examples(name: str) -> None:
    config = load_analysis(Path(__file__).parents[2] / "examples" / f"{name}.yaml")
    transfer, acceptance = load_components("pretrained", "thq")
    layout = TransferLayout.of(config.simulation, PROCESS.parton_pdg)
    assert (transfer.layout, acceptance.layout) == (layout, layout)
    assert config.process.collider_energy == transfer.schema.collider_energy


def test_shipped_models_integrate_what_they_draw() -> None:
    """∫ dz ε p_T c_0 by the shipped proposal: many points count, for events that are drawn from p_T itself."""
    ingredients = HYPOTHESIS.ingredients(MemConfig(model="pretrained"))
    generator = torch.Generator().manual_seed(1)
    cube = torch.rand((20_000, ingredients.process.dimensions), generator=generator, dtype=torch.float64)
    partons, log_volume = ingredients.process.from_unit_cube(cube)
    log_weight = log_volume + ingredients.acceptance.log_probability(partons.momenta)
    weight = ingredients.process.coefficients(partons)[:, 0].clamp(min=0.0) * (log_weight - log_weight.max()).exp()
    chosen = torch.multinomial(weight, 40, generator=generator)
    x = ingredients.transfer.sample(partons.momenta[chosen], torch.Generator().manual_seed(2))
    config = MemConfig(base={"kind": "gaussian"}, points={"first": 400, "maximum": 400})
    found = EventIntegrator(ingredients, config, 1).integrate(x, np.arange(40))
    share = IntegralDiagnostics.of(found.select(found.usable())).effective_share
    assert len(share) == 40
    assert np.median(share) > 0.01  # one point in 400 would be 0.0025


def test_hypothesis_is_that_of_the_store(folder: Path) -> None:
    metadata = EventStore.open(folder / "events.parquet").metadata
    found = hypothesis_of_store(metadata, ThqConfig())
    assert (found.decays, found.higgs) == ("hadronic", "photons")
    check_objects(found.decay_channel(), metadata, "events")


def test_photons_change_the_fingerprint_and_jets_do_not(folder: Path) -> None:
    config = MemConfig(model=folder / "models")
    jets = Hypothesis(ThqConfig(), "hadronic", 0.5)
    assert jets.fingerprint(config) == Hypothesis(ThqConfig(), "hadronic", 0.5, "jets").fingerprint(config)
    assert jets.fingerprint(config) != HYPOTHESIS.fingerprint(config)


def test_models_of_other_decays_are_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"transfer function was trained for .*higgs='photons'.*, but the hypothesis"):
        Hypothesis(ThqConfig(), "hadronic", 0.5).ingredients(MemConfig(model=folder / "models"))


def test_store_without_photons_is_refused(folder: Path, tmp_path: Path) -> None:
    store = write_single_top_store(tmp_path / "without.parquet", 20, photons=False)
    config = MemConfig(model=folder / "models", workers=1)
    with pytest.raises(SchemaError, match=r"without\.parquet has no photons, of which the hypothesis asks for 2"):
        integrate_events(store, tmp_path / "out.parquet", HYPOTHESIS, config, 1)
    with pytest.raises(SchemaError, match=r"without\.parquet has no photons"):
        train_mem([store], ThqConfig(), CONFIG, 1, tmp_path / "models")


def test_store_of_other_decays_is_refused(folder: Path, tmp_path: Path) -> None:
    store = write_single_top_store(tmp_path / "bb.parquet", 20, higgs="bb")
    config = MemConfig(model=folder / "models", workers=1)
    with pytest.raises(SchemaError, match=r"bb\.parquet holds events of the decays 'hadronic' .* H to jets, but"):
        integrate_events(store, tmp_path / "out.parquet", HYPOTHESIS, config, 1)
