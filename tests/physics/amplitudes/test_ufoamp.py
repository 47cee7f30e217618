"""Matrix elements in pure Python against our own amplitudes: parameters, orders, identical particles, errors."""

import importlib.util
import math
import runpy
from pathlib import Path

import pytest
import torch

from partonic.errors import DependencyError, ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.physics.amplitudes.ufoamp import PythonMatrixElement, load_model
from partonic.physics.particles import vacuum_expectation_value
from partonic.physics.phasespace.rambo import Rambo
from partonic.polynomial import Monomials
from partonic.processes.tth.amplitude import TTH_PARAMETERS, TopHiggsCouplings, quark_annihilation_tth

UFO = runpy.run_path(str(Path(__file__).parents[2] / "reweighting" / "ufo_model.py"))
ZERO = {"dkt": 0.0, "ktt": 0.0, "ctG": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = UFO["write_ufo_model"](tmp_path_factory.mktemp("ufo") / "TopHiggs_UFO")
    card = "Block EFT\n 1 0.5 # dkt\n 2 0.0 # ktt\n 3 0.0 # ctG\n"
    (folder / "restrict_even.dat").write_text(card)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return load_model(folder, trust_model_code=True)


def phase_space(generator, masses, energy, points):
    numbers = torch.rand(points, 3 * len(masses) - 4, generator=generator, dtype=torch.float64)
    final, _ = Rambo(masses).forward(numbers, torch.full((points,), energy, dtype=torch.float64))
    beams = torch.tensor([[1.0, 0, 0, 1], [1, 0, 0, -1]], dtype=torch.float64) * energy / 2
    return torch.cat([beams.expand(points, 2, 4), final], dim=1)


@pytest.fixture
def momenta(torch_rng):
    return phase_space(torch_rng, (125.0, 172.5, 172.5), 800.0, 6)


def own(momenta, theta, alpha_s=0.118):
    couplings = TopHiggsCouplings(172.5, 125.0, vacuum_expectation_value(1.16638e-5))
    strong = torch.full((len(momenta),), alpha_s, dtype=torch.float64)
    values = quark_annihilation_tth(2, couplings).coefficients(momenta, strong)
    return values @ torch.from_numpy(Monomials.up_to_degree(TTH_PARAMETERS, 2).evaluate(theta))


def test_parameters_are_set_at_run_time(model, momenta):
    element = PythonMatrixElement(model, (2, -2, 25, 6, -6), orders={"NP": 1}, parameters=ZERO)
    assert isinstance(element, SquaredMatrixElement)
    torch.testing.assert_close(element.squared(momenta), own(momenta, [0.0, 0.0, 0.0]), rtol=1e-10, atol=0)
    element.set_parameters({"ktt": 0.7, "ctG": -0.4})
    torch.testing.assert_close(element.squared(momenta), own(momenta, [0.0, 0.7, -0.4]), rtol=1e-10, atol=0)
    element.set_parameters({"aS": 0.1})
    torch.testing.assert_close(element.squared(momenta), own(momenta, [0.0, 0.7, -0.4], 0.1), rtol=1e-10, atol=0)
    assert (element.parameters["ktt"], element.parameters["aS"], element.parameters["MT"]) == (0.7, 0.1, 172.5)
    assert element.masses == (0.0, 0.0, 125.0, 172.5, 172.5)


def test_a_coupling_that_was_zero_can_be_switched_on(model, momenta):
    """Helicities that vanish at one value of the couplings must not be forgotten at another."""
    element = PythonMatrixElement(model, (2, -2, 25, 6, -6), orders={"NP": 1}, parameters={**ZERO, "dkt": -1.0})
    assert float(element.squared(momenta).abs().max()) < 1e-25
    element.set_parameters({"ktt": 1.0})
    torch.testing.assert_close(element.squared(momenta), own(momenta, [-1.0, 1.0, 0.0]), rtol=1e-10, atol=0)


def test_without_a_limit_of_orders_the_operator_enters_more_than_once(model, momenta):
    """(1 + δκ) M_S with c_tG in the gluon vertex as well: a product that one insertion leaves out."""
    free = PythonMatrixElement(model, (2, -2, 25, 6, -6), parameters={**ZERO, "dkt": 1.0, "ctG": 1.0})
    limited = PythonMatrixElement(
        model, (2, -2, 25, 6, -6), orders={"NP": 1}, parameters={**ZERO, "dkt": 1.0, "ctG": 1.0}
    )
    assert float((free.squared(momenta) / limited.squared(momenta) - 1.0).abs().min()) > 1e-3


def test_identical_particles_have_their_factor(model, torch_rng):
    """u u → u u by QCD: |M|² = (4/9) g⁴ [(s² + u²)/t² + (s² + t²)/u² − (2/3) s²/(tu)], here with the factor 1/2."""
    element = PythonMatrixElement(model, (2, 2, 2, 2), parameters=ZERO)
    momenta = phase_space(torch_rng, (0.0, 0.0), 500.0, 4)
    cosine = momenta[:, 2, 3] / 250.0
    s, t, u = 1.0, -(1.0 - cosine) / 2, -(1.0 + cosine) / 2
    bracket = (s**2 + u**2) / t**2 + (s**2 + t**2) / u**2 - 2 / 3 * s**2 / (t * u)
    expected = 0.5 * 4 / 9 * (4 * math.pi * 0.118) ** 2 * bracket
    torch.testing.assert_close(element.squared(momenta), expected, rtol=1e-9, atol=0)


def test_restriction_cards(model, momenta):
    element = PythonMatrixElement(model, (2, -2, 25, 6, -6), restriction="even", orders={"NP": 1})
    torch.testing.assert_close(element.squared(momenta), own(momenta, [0.5, 0.0, 0.0]), rtol=1e-10, atol=0)
    with pytest.raises(ProcessError, match="no restriction card 'odd'; it has: restrict_even"):
        PythonMatrixElement(model, (2, -2, 25, 6, -6), restriction="odd")


def test_a_process_without_an_amplitude_is_zero(model, torch_rng):
    element = PythonMatrixElement(model, (2, 2, 6, 6), parameters=ZERO)
    assert element.squared(phase_space(torch_rng, (172.5, 172.5), 500.0, 3)).tolist() == [0.0, 0.0, 0.0]
    assert element.squared(torch.zeros(0, 4, 4, dtype=torch.float64)).shape == (0,)


def test_errors_of_a_process(model, momenta):
    with pytest.raises(
        ProcessError, match=r"no particle with PDG id -5, 5, which the process 21 21 > 5 -5 needs.*H \(25\)"
    ):
        PythonMatrixElement(model, (21, 21, 5, -5))
    with pytest.raises(ProcessError, match="no coupling order DIM6; it has: QCD, QED, NP"):
        PythonMatrixElement(model, (21, 21, 6, -6), orders={"DIM6": 1})
    with pytest.raises(ParameterError, match=r"'ctg' is no external parameter of the model \(did you mean ctG"):
        PythonMatrixElement(model, (21, 21, 6, -6), parameters={"ctg": 1.0})
    element = PythonMatrixElement(model, (2, -2, 25, 6, -6), parameters=ZERO)
    with pytest.raises(ParameterError, match="must be finite"):
        element.set_parameters({"ctG": math.inf})
    with pytest.raises(ProcessError, match="shape"):
        element.squared(momenta[:, :4])
    with pytest.raises(ProcessError, match="no colour flows"):
        element.flow_squared(momenta)


def test_errors_of_a_model(tmp_path, folder, monkeypatch):
    with pytest.raises(ProcessError, match=r"runs with your rights.*trust_model_code"):
        load_model(folder)
    with pytest.raises(ProcessError, match="is no UFO model: expected a folder"):
        load_model(tmp_path, trust_model_code=True)
    broken = UFO["write_ufo_model"](tmp_path / "a" / "Broken_UFO", couplings="raise RuntimeError('no such luck')")
    with pytest.raises(ProcessError, match="cannot be loaded: RuntimeError: no such luck"):
        load_model(broken, trust_model_code=True)
    text = UFO["_FILES"]["couplings"].replace("-G", "-G*unknown(MT)")
    with pytest.raises(ProcessError, match="'TRIPLE' of the UFO model uses unknown"):
        load_model(UFO["write_ufo_model"](tmp_path / "b" / "Unknown_UFO", couplings=text), trust_model_code=True)
    text = UFO["_FILES"]["couplings"].replace("-G", "-*G")
    with pytest.raises(ProcessError, match="'TRIPLE' of the UFO model is no expression"):
        load_model(UFO["write_ufo_model"](tmp_path / "c" / "Wrong_UFO", couplings=text), trust_model_code=True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"partonic\[ufo\]"):
        load_model(folder, trust_model_code=True)
