"""pp → H t t̄ from end to end: the cross section does not depend on the sampler, and Pythia showers the events."""

import math
from pathlib import Path

import pytest
import torch
from tests.generation.conftest import SMALL_SAMPLER

from partonic.config.generation import GenerationConfig
from partonic.generation.azimuth import azimuthal_numbers
from partonic.generation.generate import generate_events
from partonic.generation.integrand import ProcessIntegrand, evaluate
from partonic.generation.lhe import read_lhe
from partonic.generation.result import GenerationResult
from partonic.physics.process import Process
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig

pytestmark = pytest.mark.slow

THETA = {"kappa_tilde_t": 0.4, "c_tG": 0.3}


@pytest.fixture(scope="module")
def tth() -> Process:
    return build_process(TthConfig())


@pytest.fixture(scope="module")
def result(tth: Process, tmp_path_factory: pytest.TempPathFactory) -> GenerationResult:
    config = GenerationConfig(
        events=2_000, theta=THETA, sampler=SMALL_SAMPLER, pilot_points=20_000, chunk_points=10_000,
        weight_scales={"c_tG": 0.5},
    )  # fmt: skip
    return generate_events(tth, config, 2, tmp_path_factory.mktemp("tth"))


def test_azimuths_of_higgs_and_top_are_found(tth: Process) -> None:
    monomials = torch.from_numpy(tth.monomials.evaluate(tth.monomials.point(THETA)))
    assert azimuthal_numbers(ProcessIntegrand(tth, monomials), 1) == (4, 6)


def test_cross_section_is_that_of_uniform_points(
    tth: Process, result: GenerationResult, torch_rng: torch.Generator
) -> None:
    monomials = torch.from_numpy(tth.monomials.evaluate(tth.monomials.point(THETA)))
    points = torch.rand((100_000, tth.dimensions), generator=torch_rng, dtype=torch.float64)
    weights = evaluate(ProcessIntegrand(tth, monomials), points)
    error = float(weights.std()) / math.sqrt(len(weights))
    found = result.cross_section
    assert abs(found.value - float(weights.mean())) < 5 * math.hypot(found.error, error)
    assert error < 0.01 * found.value
    assert found.error < error


def test_terms_odd_in_kappa_tilde_vanish_in_the_cross_section(result: GenerationResult) -> None:
    """κ̃ and κ̃ δκ are CP odd; the initial state and the phase space are CP even."""
    for name in ("kappa_tilde_t", "delta_kappa_t*kappa_tilde_t", "kappa_tilde_t*c_tG"):
        assert abs(result.coefficients[name].value) < 5 * result.coefficients[name].error
        assert result.coefficients[name].error < 0.01 * result.coefficients["1"].value


def test_sign_of_an_event_is_the_same_at_every_theta(result: GenerationResult, tth: Process) -> None:
    """|M|² is never negative; parton densities of the set are, here and there at large x, in a few events."""
    coefficients = torch.cat([batch.coefficients for batch in read_lhe(result.events_file)])
    points = torch.randn((50, 3), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    monomials = torch.from_numpy(tth.monomials.evaluate(points.numpy())).T
    cancellation = (coefficients @ monomials) / (coefficients.abs() @ monomials.abs())
    assert float((cancellation * coefficients[:, :1].sign()).min()) > -1e-10
    assert float((coefficients[:, 0] < 0).double().mean()) < 0.01


def test_pythia_showers_the_events(result: GenerationResult, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    for setting in ("Beams:frameType = 4", f"Beams:LHEF = {result.events_file}", "PartonLevel:MPI = off"):
        assert pythia.readString(setting)
    assert pythia.init()
    accepted = sum(pythia.next() for _ in range(200))
    pythia.stat()
    output = capfd.readouterr().out
    assert accepted == 200
    assert "Error in" not in output
    assert pythia.infoPython().sigmaGen() == pytest.approx(result.cross_section.value * 1e-9, rel=0.02)
