"""Matrix elements of the external generator: reference numbers, closed forms, parameters, colour flows, errors."""

import importlib.util
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from tests.reference.tth_points import REFERENCE

from partonic.errors import DependencyError, NonFiniteError, ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude, SquaredMatrixElement
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.physics.amplitudes.ufo import ExternalMatrixElement, ExternalModel, GenerationOptions
from partonic.physics.phasespace.rambo import Rambo

PARAMETERS = {"aS": 0.118, "Gf": 1.16639e-5, "MT": 172.5, "ymt": 172.5, "MH": 125.0}
STANDARD_MODEL = {"delta_kappa_t": 0.0, "kappa_tilde_t": 0.0, "c_tG": 0.0}


@pytest.fixture(scope="session")
def gluon_fusion(tth_generator):
    return tth_generator["gg"]


@pytest.fixture
def element(gluon_fusion):
    """The matrix element of g g -> H t tbar at the reference parameters."""
    gluon_fusion.set_parameters({**PARAMETERS, **STANDARD_MODEL})
    return gluon_fusion


@pytest.fixture(scope="session")
def top_pairs(top_model, generator_cache):
    """g g -> t tbar, named by PDG identifiers."""
    options = GenerationOptions(cache=generator_cache)
    return ExternalMatrixElement.generate(((21, 21), (6, -6)), top_model, options=options, colour_flows=False)


def reference_points(order=(2, 3, 4)):
    """Momenta of g g t tbar H with the final state in another order, and the values of |M|²."""
    beams = torch.tensor([[400.0, 0, 0, 400], [400, 0, 0, -400]], dtype=torch.float64)
    tops = torch.tensor([row[:2] for row in REFERENCE], dtype=torch.float64)
    higgs = beams.sum(dim=0) - tops.sum(dim=1)
    momenta = torch.cat([beams.expand(3, 2, 4), tops, higgs[:, None]], dim=1)
    return momenta[:, [0, 1, *order]], torch.tensor([row[2] for row in REFERENCE], dtype=torch.float64)


def test_reference_values(element):
    momenta, expected = reference_points(order=(4, 2, 3))
    torch.testing.assert_close(element.squared(momenta), expected, rtol=1e-8, atol=0)
    assert element.particles == (21, 21, 25, 6, -6)
    assert element.process == "g g > H t t~"


@pytest.mark.slow
def test_bottom_pairs_beside_top_pairs(generator_cache, torch_rng):
    options = GenerationOptions(cache=generator_cache)
    element = ExternalMatrixElement.generate("u u~ > t t~ b b~", options=options, colour_flows=False)
    momenta = _phase_space(torch_rng, (173.0, 173.0, 4.7, 4.7), 1000.0, points=20)
    amplitude = MorphedAmplitude(element)
    alpha_s = torch.full((20,), 0.118, dtype=torch.float64)
    values = amplitude.coefficients(momenta, alpha_s)
    torch.testing.assert_close(amplitude.coefficients(momenta, 2 * alpha_s), 16 * values, rtol=1e-10, atol=0)
    assert bool((values > 0).all())


def _phase_space(generator, masses, sqrt_s, points):
    numbers = torch.rand(points, 3 * len(masses) - 4, generator=generator, dtype=torch.float64)
    final, _ = Rambo(masses).forward(numbers, torch.full((points,), sqrt_s, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * sqrt_s / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


def test_closed_form_of_top_pairs(top_pairs, torch_rng):
    """g g → t t̄: M. Glück, J. F. Owens, E. Reya, Phys. Rev. D17 (1978) 2324, in the variables of the PDG review."""
    momenta = _phase_space(torch_rng, (172.5, 172.5), 600.0, points=50)
    top_pairs.set_parameters(PARAMETERS)
    s = torch.tensor(600.0**2, dtype=torch.float64)
    tau = 2 * _dot(momenta[:, 0], momenta[:, 2]) / s, 2 * _dot(momenta[:, 1], momenta[:, 2]) / s
    rho = 4 * 172.5**2 / s
    colours = 1 / (6 * tau[0] * tau[1]) - 3 / 8
    kinematics = tau[0] ** 2 + tau[1] ** 2 + rho - rho**2 / (4 * tau[0] * tau[1])
    expected = (4 * math.pi * 0.118) ** 2 * colours * kinematics
    torch.testing.assert_close(top_pairs.squared(momenta), expected, rtol=1e-10, atol=0)


def _dot(a, b):
    return a[:, 0] * b[:, 0] - (a[:, 1:] * b[:, 1:]).sum(dim=-1)


def test_parameters_change_the_result(element):
    momenta, expected = reference_points(order=(4, 2, 3))
    element.set_parameters({"ymt": 345.0, "aS": 0.059})
    torch.testing.assert_close(element.squared(momenta), expected, rtol=1e-8, atol=0)  # 2² / 2²
    assert element.parameters["ymt"] == 345.0
    assert set(element.parameters) == {*PARAMETERS, *STANDARD_MODEL, "Lambda"}


def test_is_an_amplitude_after_morphing(element):
    momenta, expected = reference_points(order=(4, 2, 3))
    amplitude = MorphedAmplitude(element)
    alpha_s = torch.tensor([0.118, 0.236, 0.059], dtype=torch.float64)
    coefficients = amplitude.coefficients(momenta, alpha_s)[:, 0]
    torch.testing.assert_close(coefficients, expected * (alpha_s / 0.118) ** 2, rtol=1e-8, atol=0)
    assert isinstance(element, SquaredMatrixElement)
    assert isinstance(amplitude, Amplitude)


def test_colour_flows(element):
    momenta, _ = reference_points(order=(4, 2, 3))
    first, second = element.colour_flows
    assert first == ((501, 502), (502, 503), (0, 0), (501, 0), (0, 503))
    assert second == ((502, 503), (501, 502), (0, 0), (501, 0), (0, 503))
    flows = element.flow_squared(momenta)
    swapped = element.flow_squared(momenta[:, [1, 0, 2, 3, 4]])  # exchanging the gluons exchanges the flows
    torch.testing.assert_close(flows, swapped.flip(1), rtol=1e-10, atol=0)


def test_no_flows_unless_asked_for(top_pairs, torch_rng):
    assert top_pairs.colour_flows == ()
    with pytest.raises(ProcessError, match="colour_flows=True"):
        top_pairs.flow_squared(_phase_space(torch_rng, (172.5, 172.5), 600.0, points=2))


def test_evaluation_leaves_symbolica_alone(element):
    momenta, _ = reference_points(order=(4, 2, 3))
    element.squared(momenta)
    assert "symbolica" not in sys.modules


def _symbolica_holder() -> subprocess.Popen[str]:
    """Start a process that holds Symbolica until it is told to end, as soon as no other process of the machine does."""
    code = "import symbolica, sys; print('held', flush=True); sys.stdin.read()"
    environment = {**os.environ, "SYMBOLICA_HIDE_BANNER": "1"}
    deadline = time.monotonic() + 240.0
    while True:
        holder = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        said = ""
        for line in iter(holder.stdout.readline, ""):
            said += line
            if line.strip() == "held":
                return holder
        holder.communicate()  # it ended: a test beside this one generates a matrix element
        assert time.monotonic() < deadline, f"no process could hold Symbolica; the last one said: {said}"
        time.sleep(0.5)


def test_evaluation_beside_a_process_that_holds_symbolica(element, generator_cache):
    """Without a licence only one process may use Symbolica; evaluation must not need it."""
    artifact = next(path.parent for path in sorted(generator_cache.glob("*/artifact.json")))
    holder = _symbolica_holder()
    try:
        code = (
            "from pathlib import Path; from partonic.physics.amplitudes.ufo import ExternalMatrixElement; "
            f"ExternalMatrixElement(Path({str(artifact)!r}))"
        )
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    finally:
        holder.communicate("", timeout=20)


def test_threads_have_evaluators_of_their_own(element):
    momenta, expected = reference_points(order=(4, 2, 3))
    results = {}
    element.set_parameters({"ymt": 345.0})  # every thread's evaluator must know
    threads = [threading.Thread(target=lambda k=k: results.update({k: element.squared(momenta)})) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for values in results.values():
        torch.testing.assert_close(values, 4 * expected, rtol=1e-8, atol=0)


def test_nothing_is_printed(element, capfd):
    momenta, _ = reference_points(order=(4, 2, 3))
    element.squared(momenta)
    assert capfd.readouterr() == ("", "")


def test_no_events(element):
    assert element.squared(torch.zeros(0, 5, 4, dtype=torch.float64)).shape == (0,)


def test_unknown_parameter(element):
    with pytest.raises(ParameterError, match=r"'yt' is no external parameter of .*did you mean ymt.* It has: Gf"):
        element.set_parameters({"yt": 1.0})
    with pytest.raises(ParameterError, match="must be finite"):
        element.set_parameters({"ymt": math.inf})


def test_wrong_momenta(element):
    momenta, _ = reference_points(order=(4, 2, 3))
    with pytest.raises(ProcessError, match=r"\(events, 5, 4\).* got torch.float64 of shape \(3, 4, 4\)"):
        element.squared(momenta[:, :4])
    with pytest.raises(ProcessError, match=r"got torch.float32"):
        element.squared(momenta.float())


def test_results_that_are_not_finite(element):
    momenta, _ = reference_points(order=(4, 2, 3))
    momenta[1, 2:] = 0.0
    with pytest.raises((NonFiniteError, ProcessError), match=r"event 1|finite"):
        element.squared(momenta)


def test_package_missing(monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyamplicol" else find(name))
    with pytest.raises(DependencyError, match=r"partonic\[ufo\]"):
        ExternalMatrixElement(tmp_path)


def test_folder_that_is_no_artifact(tmp_path):
    with pytest.raises(ProcessError, match=r"no artifact\.json"):
        ExternalMatrixElement(tmp_path)


def test_artifact_with_machine_code_is_refused(element, generator_cache, tmp_path):
    source = next(path.parent for path in sorted(generator_cache.glob("*/artifact.json")))
    copy = tmp_path / "artifact"
    shutil.copytree(source, copy)
    manifest = json.loads((copy / "artifact.json").read_text())
    manifest["payloads"][0]["executable"] = True
    (copy / "artifact.json").write_text(json.dumps(manifest))
    with pytest.raises(ProcessError, match="machine code"):
        ExternalMatrixElement(copy)


def test_damaged_artifact(element, generator_cache, tmp_path):
    source = next(path.parent for path in sorted(generator_cache.glob("*/artifact.json")))
    copy = tmp_path / "artifact"
    shutil.copytree(source, copy)
    (copy / "evaluators.pacbin").write_bytes(b"damaged")
    with pytest.raises(ProcessError, match="cannot load the generated matrix element"):
        ExternalMatrixElement(copy)


@pytest.fixture
def scalar_model(tmp_path):
    """A UFO model of one scalar with a cubic coupling λ, which leaves a mark when its code runs."""
    model = tmp_path / "scalars"
    package = Path(importlib.util.find_spec("pyamplicol").origin).parent  # importing it would take Symbolica's process
    packaged = package / "assets" / "models" / "ufo" / "scalars"
    shutil.copytree(packaged, model, ignore=shutil.ignore_patterns("__pycache__", "restrict_*"))
    parameters = (model / "parameters.py").read_text()
    parameters = parameters.replace("N_POINT_INTERACTIONS = [3, 4, 5, 6, 7, 8, 9, 10]", "N_POINT_INTERACTIONS = [3]")
    parameters = parameters.replace("N_SCALARS = 3", "N_SCALARS = 1")
    (model / "parameters.py").write_text(parameters)
    with (model / "__init__.py").open("a") as code:
        code.write(f"\nopen({str(tmp_path / 'executed')!r}, 'w').close()\n")
    return model


def test_ufo_model_needs_consent(scalar_model):
    with pytest.raises(ProcessError, match=r"scalars is a UFO model: a Python program.*trust_model_code=True"):
        ExternalMatrixElement.generate("scalar_0 scalar_0 > scalar_0 scalar_0", ExternalModel(source=scalar_model))
    assert not (scalar_model.parent / "executed").exists()


def test_ufo_model_with_identical_particles(scalar_model, generator_cache, torch_rng):
    """φ φ → φ φ by exchange of φ, massless: M = λ² (1/s + 1/t + 1/u), and 1/2! for identical particles."""
    trusted = ExternalModel(source=scalar_model, trust_model_code=True)
    options = GenerationOptions(cache=generator_cache)
    element = ExternalMatrixElement.generate(((1000, 1000), (1000, 1000)), trusted, options=options, colour_flows=False)
    assert (scalar_model.parent / "executed").exists()
    assert not list(scalar_model.rglob("__pycache__"))
    assert element.particles == (1000, 1000, 1000, 1000)
    element.set_parameters({"lam": 2.0})
    momenta = _phase_space(torch_rng, (0.0, 0.0), 100.0, points=20)
    s = torch.full((20,), 1e4, dtype=torch.float64)
    t = -2 * _dot(momenta[:, 0], momenta[:, 2])
    amplitude = sum(4.0 / channel for channel in (s, t, -s - t))
    torch.testing.assert_close(element.squared(momenta), amplitude**2 / 2, rtol=1e-10, atol=0)
