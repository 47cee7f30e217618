import json
import sys

import numpy as np
import pyhf
import pytest

from inference.toy_coefficients import MONOMIALS, toy_weights
from partonic.errors import DependencyError, EventFileError, InferenceError, ParameterError
from partonic.inference.binned.binned_likelihood import (
    asimov_counts,
    binned_likelihood,
    binned_mixture,
    expected_counts,
)
from partonic.inference.binned.binning import Binning
from partonic.inference.binned.pyhf_model import MorphedModel
from partonic.inference.binned.pyhf_workspace import MorphedWorkspace, export_workspace, natural_basis
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.newton import maximise

LUMINOSITY = 300.0

pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver is deprecated")  # used by pyhf 0.7


@pytest.fixture(scope="module")
def templates():
    rng = np.random.default_rng(1)
    weights = toy_weights(rng, 2000)
    binning = Binning(("x",), (-0.5, 0.5, 1.5))
    backgrounds = [
        BackgroundTemplate.fill("bb", binning, rng.normal(size=(500, 1)), np.full(500, 4e-6), 0.2),
        BackgroundTemplate.fill("cc", binning, rng.normal(size=(300, 1)), np.full(300, 4e-6), None),
    ]
    filled = Templates.fill(binning, MONOMIALS, weights[:, 1:2] / weights[:, :1], weights)
    return filled.with_backgrounds(backgrounds)


@pytest.fixture(scope="module")
def mixture(templates):
    return binned_mixture(templates, ("a", "b"), LUMINOSITY, luminosity_uncertainty=0.02)


@pytest.fixture(scope="module")
def morphed(templates, mixture):
    counts = np.round(asimov_counts(templates, mixture, {"a": 0.3}))
    return export_workspace(templates, counts, mixture, {"far": {"a": 1.5, "b": -2.0}})


def test_it_follows_the_schema_of_pyhf(morphed):
    pyhf.schema.validate(morphed.workspace, "workspace.json")


def test_yields_are_exact_at_every_theta(morphed, templates, mixture):
    model = MorphedModel(morphed)
    rng, negative = np.random.default_rng(2), 0
    for theta in 3 * rng.normal(size=(30, 2)):
        np.testing.assert_allclose(model.expected(theta), templates.yields(theta, LUMINOSITY), rtol=1e-10)
        negative += int((morphed.weights(theta) < 0).any())
        others = {"lumi": rng.normal(1.0, 0.02), "cc_normalisation": rng.uniform(0.5, 1.5)}
        others |= {"bb_normalisation": rng.normal(), "signal_strength": rng.uniform(0.5, 1.5)}
        norms = (1 + 0.2 * others["bb_normalisation"], others["cc_normalisation"])
        phi = np.array([*theta, others["signal_strength"], *norms, others["lumi"]])
        np.testing.assert_allclose(model.expected(theta, others), expected_counts(templates, mixture, phi), rtol=1e-10)
    assert negative > 10  # the morphing weights do become negative, and pyhf takes them


def test_plain_pyhf_gives_the_exact_yields(morphed, templates, tmp_path):
    """What a user does who has only pyhf and the two files."""
    morphed.write(tmp_path / "workspace.json")
    workspace = pyhf.Workspace(json.loads((tmp_path / "workspace.json").read_text()))
    tie = json.loads((tmp_path / "workspace.morphing.json").read_text())
    model = workspace.model(measurement_name="far")
    found = model.expected_data(model.config.suggested_init(), include_auxdata=False)
    np.testing.assert_allclose(found, templates.yields(np.array([1.5, -2.0]), LUMINOSITY), rtol=1e-10)
    theta = np.array([-0.7, 0.2])
    monomials = np.prod(theta ** np.array(tie["exponents"]), axis=1)
    parameters = np.array(model.config.suggested_init())
    for name, value in zip(tie["normfactors"], np.array(tie["inverse_matrix"]) @ monomials, strict=True):
        parameters[model.config.par_slice(name)] = value
    found = model.expected_data(parameters.tolist(), include_auxdata=False)
    np.testing.assert_allclose(found, templates.yields(theta, LUMINOSITY), rtol=1e-10)
    assert all(np.array(model.config.suggested_fixed())[model.config.par_slice(name)][0] for name in tie["normfactors"])


def test_normfactors_are_one_at_their_own_point(morphed):
    np.testing.assert_allclose(morphed.weights(morphed.basis), np.eye(6), atol=1e-12)
    named = morphed.normfactors({})
    assert list(named) == [f"morphing_{number}" for number in range(6)]
    np.testing.assert_allclose(list(named.values()), [1, 0, 0, 0, 0, 0], atol=1e-12)


def test_likelihood_is_the_binned_one_but_for_a_constant(morphed, templates, mixture):
    """At any θ and any value of luminosity and backgrounds; the factors of the template errors stay at 1."""
    model, rng = MorphedModel(morphed), np.random.default_rng(3)
    likelihood = binned_likelihood(templates, np.array(morphed.workspace["observations"][0]["data"]), mixture)
    differences = []
    for _ in range(20):
        theta, pull, free, lumi = rng.normal(size=2), rng.normal(), rng.uniform(0.8, 1.2), rng.normal(1, 0.02)
        others = {"bb_normalisation": pull, "cc_normalisation": free, "lumi": lumi}
        phi = np.array([*theta, 1.0, 1 + 0.2 * pull, free, lumi])
        differences.append(model.log_likelihood(theta, others=others) - float(likelihood(phi)))
    np.testing.assert_allclose(differences, differences[0], rtol=0, atol=1e-7)


def test_profile_agrees_with_our_own(templates, mixture):
    """Without template errors both profile the same parameters."""
    exact = Templates(templates.binning, MONOMIALS, templates.signal, np.zeros_like(templates.covariance))
    exact = exact.with_backgrounds(
        [BackgroundTemplate("bb", templates.backgrounds[0].cross_sections, np.zeros(4), 0.2)]
    )
    mixture = binned_mixture(exact, ("a", "b"), LUMINOSITY, luminosity_uncertainty=0.02)
    counts = np.round(asimov_counts(exact, mixture, {"a": 0.3, "luminosity_scale": 1.03, "bb_normalisation": 1.2}))
    model = MorphedModel(export_workspace(exact, counts, mixture))
    likelihood = binned_likelihood(exact, counts, mixture)
    nuisances = np.array([False, False, False, True, True])
    ours, theirs = [], []
    for theta in (np.array([0.3, 0.0]), np.array([0.2, -0.1]), np.array([-0.4, 0.3])):
        found = maximise(likelihood, np.array([*theta, 1.0, 1.0, 1.0]), nuisances)
        profile = model.profile(theta)
        ours.append(found.value)
        theirs.append(profile.log_likelihood)
        assert profile.parameters["lumi"][0] == pytest.approx(found.phi[-1], abs=2e-4)
        assert 1 + 0.2 * profile.parameters["bb_normalisation"][0] == pytest.approx(found.phi[3], abs=2e-3)
    np.testing.assert_allclose(np.diff(theirs), np.diff(ours), rtol=1e-3, atol=1e-3)


def test_template_errors_are_those_of_the_sample(morphed, templates):
    """The widths of pyhf's factors are the relative statistical errors at θ = 0, for each process by itself."""
    config = MorphedModel(morphed).model.config
    expected = templates.signal_errors(np.zeros(2), 1.0) / templates.signal_yields(np.zeros(2), 1.0)
    np.testing.assert_allclose(config.param_set("template_error_signal").sigmas, expected)
    background = templates.backgrounds[0]
    expected = np.sqrt(background.variances) / background.cross_sections
    np.testing.assert_allclose(config.param_set("template_error_bb").sigmas, expected)


def test_template_errors_weaken_the_likelihood(morphed, templates, mixture):
    model = MorphedModel(morphed)
    fall = model.profile(np.array([0.3, 0.0])).log_likelihood - model.profile(np.array([-0.6, 0.0])).log_likelihood
    likelihood = binned_likelihood(templates, np.array(morphed.workspace["observations"][0]["data"]), mixture)
    nuisances = np.array([False, False, False, True, True, True])
    values = [maximise(likelihood, np.array([a, 0.0, 1, 1, 1, 1.0]), nuisances).value for a in (0.3, -0.6)]
    assert 0 < fall < values[0] - values[1]


def test_round_trip(morphed, tmp_path):
    morphed.write(tmp_path / "workspace.json")
    again = MorphedWorkspace.read(tmp_path / "workspace.json")
    assert again.workspace == morphed.workspace
    assert again.monomials == MONOMIALS
    np.testing.assert_array_equal(again.basis, morphed.basis)


def test_free_signal_strength_is_fitted(templates):
    mixture = binned_mixture(templates, ("a",), LUMINOSITY, free_signal_strength=True)
    counts = asimov_counts(templates, mixture, {"signal_strength": 1.3})
    found = MorphedModel(export_workspace(templates, counts, mixture)).profile(np.zeros(2))
    assert found.parameters["signal_strength"][0] == pytest.approx(1.3, abs=0.01)
    assert "lumi" not in found.parameters


def test_nothing_to_profile(templates):
    exact = Templates(templates.binning, MONOMIALS, templates.signal, np.zeros_like(templates.covariance))
    mixture = binned_mixture(exact, ("a",), LUMINOSITY)
    model = MorphedModel(export_workspace(exact, asimov_counts(exact, mixture), mixture))
    assert model.profile(np.ones(2)).log_likelihood == pytest.approx(model.log_likelihood(np.ones(2)))


def test_natural_basis_has_positive_yields_of_like_size(templates):
    yields = templates.signal_yields(natural_basis(templates), LUMINOSITY).sum(axis=1)
    assert yields.min() > 0
    assert yields.max() < 10 * yields[0]


def test_bin_without_signal(templates):
    """Only background, and template errors that are not known: yields and likelihood stay right."""
    signal, covariance = templates.signal.copy(), templates.covariance.copy()
    signal[1], covariance[1] = 0.0, 0.0
    partly = Templates(templates.binning, MONOMIALS, signal, covariance, templates.backgrounds)
    mixture = binned_mixture(partly, ("a", "b"), LUMINOSITY, luminosity_uncertainty=0.02)
    counts = asimov_counts(partly, mixture, {"a": 0.2})
    model, theta = MorphedModel(export_workspace(partly, counts, mixture)), np.array([0.4, 0.1])
    np.testing.assert_allclose(model.expected(theta), partly.yields(theta, LUMINOSITY), rtol=1e-10)
    change = model.log_likelihood(theta) - model.log_likelihood(np.zeros(2))
    likelihood = binned_likelihood(partly, counts, mixture)
    ours = likelihood(mixture.point({"a": 0.4, "b": 0.1})) - likelihood(mixture.point())
    assert change == pytest.approx(float(ours), abs=1e-7)


def test_errors(templates, mixture, morphed, tmp_path):
    with pytest.raises(ParameterError, match="expected the counts of 4 bins"):
        export_workspace(templates, np.ones(3), mixture)
    bound = Mixture(templates.rate(), fitted=("a",), theta_constraints={"b": (0.0, 1.0)})
    with pytest.raises(ParameterError, match="cannot hold Gaussian constraints"):
        export_workspace(templates, np.ones(4), bound)
    empty = Templates(templates.binning, MONOMIALS, np.zeros((4, 6)), np.zeros((4, 6, 6)))
    with pytest.raises(InferenceError, match="4 events in 4 bins of x in which none is expected"):
        export_workspace(empty, np.ones(4), mixture)
    model = MorphedModel(morphed)
    with pytest.raises(ParameterError, match="unknown parameter 'morphing_0' beside θ"):
        model.parameters(np.zeros(2), {"morphing_0": 1.0})
    with pytest.raises(InferenceError, match="does not follow the schema"):
        MorphedModel(MorphedWorkspace({"version": "1.0.0"}, MONOMIALS, morphed.basis))
    with pytest.raises(EventFileError, match="cannot read the workspace"):
        MorphedWorkspace.read(tmp_path / "none.json")


def test_missing_package_is_named(morphed, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyhf", None)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[inference\]'"):
        MorphedModel(morphed)
