"""WH and ZH at leading order against Pythia's own f f̄ → H W and f f̄ → H Z, at equal densities, scales and couplings.

Pythia's matrix elements, its angular correlations of the decays, phase-space generator and interpolation of the parton
densities are independent of ours. Its bosons are on their mass shells; ours decay with a width of 10 MeV, and the ratio
to those on shell must be the branching fraction.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
import pythia8mc
import scipy.stats
import torch

from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.fourvector import invariant_mass
from partonic.physics.kinematics import transverse_momentum
from partonic.processes.definition import build_process
from partonic.processes.vector_higgs_observables import decay_angles
from partonic.processes.wh.settings import WhConfig
from partonic.processes.zh.settings import ZhConfig
from partonic.rng import pythia_seed

EVENTS = 60_000
POINTS = 300_000
NARROW = 0.01
PICOBARN_PER_MILLIBARN = 1e9
EDGES = {
    "pt_V": np.array([0, 20, 40, 60, 80, 100, 120, 150, 190, 250, 350, 3000.0]),
    "mass_VH": np.array([200, 230, 250, 275, 300, 340, 400, 500, 700, 13600.0]),
    "cos_theta_star": np.linspace(-1, 1, 11),
    "cos_theta_1": np.linspace(-1, 1, 11),
    "phi_planes": np.linspace(-math.pi, math.pi, 13),
}
SETTINGS = {
    "wh": WhConfig(w_width=NARROW, lepton_pair_mass_range=(70.0, 90.0)),
    "zh": ZhConfig(z_width=NARROW, lepton_pair_mass_range=(80.0, 100.0)),
}


@dataclass(frozen=True)
class Sample:
    cross_section: float
    error: float
    contents: dict[str, np.ndarray]
    variances: dict[str, np.ndarray]


def sampled(momenta, weights, error):
    """Histograms of H and two leptons, `(N, 3, 4)`."""
    star, polar, plane = decay_angles(momenta)
    values = {
        "pt_V": transverse_momentum(momenta[:, 0]), "mass_VH": invariant_mass(momenta),
        "cos_theta_star": star, "cos_theta_1": polar, "phi_planes": plane,
    }  # fmt: skip
    contents = {name: np.histogram(values[name], edges, weights=weights)[0] for name, edges in EDGES.items()}
    variances = {name: np.histogram(values[name], edges, weights=weights**2)[0] for name, edges in EDGES.items()}
    return Sample(float(weights.sum()), error, contents, variances)


def pythia_settings(config):
    """Settings that give Pythia our masses, and bosons on their mass shells; its scale is √ŝ, as ours."""
    return [
        f"Beams:eCM = {config.collider_energy}",
        f"HiggsSM:ffbar2H{config.name[0].upper()} = on",
        "PartonLevel:all = off",
        "HadronLevel:all = off",
        "PhaseSpace:useBreitWigners = off",
        "SigmaProcess:alphaEMorder = 0",
        f"24:m0 = {config.w_mass}",
        f"23:m0 = {config.z_mass}",
        f"25:m0 = {config.higgs_mass}",
        "25:mayDecay = off",
        f"PDF:pSet = LHAGrid1:{config.pdf.name}_0000.dat",
        "Random:setSeed = on",
        f"Random:seed = {pythia_seed(7, config.name)}",
        "Print:quiet = on",
    ]


def pythia_constants(config):
    """Couplings of the scheme (m_W, m_Z, G_F) and a unit CKM matrix."""
    scheme = ElectroweakScheme(config.w_mass, config.z_mass, config.fermi_constant)
    alpha = scheme.electric_charge**2 / (4 * math.pi)
    ckm = {f"V{up}{down}": float(up + down in ("ud", "cs", "tb")) for up, down in itertools.product("uct", "dsb")}
    weak = {"sin2thetaW": scheme.sine**2, "sin2thetaWbar": scheme.sine**2}
    return {"alphaEM0": alpha, "alphaEMmZ": alpha, **weak, **ckm}


def started(config, *further):
    pythia = pythia8mc.Pythia("", False)
    for line in (*pythia_settings(config), *further):
        assert pythia.readString(line), line
    for name, value in pythia_constants(config).items():
        pythia.settings.parm(f"StandardModel:{name}", value, True)  # whatever range Pythia expects
    assert pythia.init()
    return pythia


def of_pythia(config):
    """Pythia's cross section with bosons that do not decay, and its events with leptons."""
    pythia = started(config, "ProcessLevel:resonanceDecays = off")
    for _ in range(EVENTS):
        assert pythia.next()
    info = pythia.infoPython()
    sigma = info.sigmaGen() * PICOBARN_PER_MILLIBARN
    error = sigma * info.sigmaErr() / info.sigmaGen()
    boson = 24 if config.name == "wh" else 23
    pythia = started(config, f"{boson}:onMode = off", f"{boson}:onIfAny = 11 13")
    momenta = np.empty((EVENTS, 3, 4))
    for i in range(EVENTS):
        assert pythia.next()
        record = [pythia.process[k] for k in range(5, pythia.process.size())]
        higgs = next(particle for particle in record if particle.id() == 25)
        leptons = sorted((p for p in record if 11 <= p.idAbs() <= 14), key=charged_and_negative_first)
        for j, particle in enumerate((higgs, *leptons)):
            momenta[i, j] = particle.e(), particle.px(), particle.py(), particle.pz()
    return sampled(torch.from_numpy(momenta), np.full(EVENTS, sigma / EVENTS), error)


def charged_and_negative_first(particle):
    return particle.idAbs() % 2 == 0, -particle.id()


def of_ours(config):
    process = build_process(config)
    generator = torch.Generator().manual_seed(20261129)
    numbers = torch.rand(POINTS, process.dimensions, generator=generator, dtype=torch.float64)
    events, log_jacobian = process.from_unit_cube(numbers)
    # Pythia sets negative densities (strange and bottom at large x, about 1% of the cross section) to zero
    positive = process.channel_coefficients(events)[:, :, 0].clamp(min=0.0).sum(dim=1)
    weights = (positive * log_jacobian.exp()).numpy() / POINTS
    return events, weights, math.sqrt(POINTS) * float(weights.std())


def branching_fraction(config):
    """Γ(V → ℓ ℓ')/Γ for two flavours, at leading order with massless leptons."""
    scheme = ElectroweakScheme(config.w_mass, config.z_mass, config.fermi_constant)
    if config.name == "wh":
        return 2 * scheme.weak_coupling**2 * config.w_mass / (48 * math.pi) / NARROW
    left, right = scheme.z_couplings(11)
    return 2 * (left**2 + right**2) * config.z_mass / (24 * math.pi) / NARROW


@pytest.fixture(scope="module", params=["wh", "zh"])
def samples(request):
    config = SETTINGS[request.param]
    events, weights, error = of_ours(config)
    return config, sampled(events.momenta, weights, error), of_pythia(config)


@pytest.mark.slow
def test_cross_section(samples):
    config, ours, theirs = samples
    fraction = branching_fraction(config)
    error = math.hypot(theirs.error, ours.error / fraction)
    difference = theirs.cross_section - ours.cross_section / fraction
    assert error < 0.005 * theirs.cross_section
    assert abs(difference) < 3.5 * error


@pytest.mark.slow
def test_on_shell_is_the_narrow_limit(samples):
    config, decayed, _ = samples
    _, weights, error = of_ours(config.model_copy(update={"decays": "none"}))
    fraction = branching_fraction(config)
    combined = math.hypot(error, decayed.error / fraction)
    assert combined < 0.005 * weights.sum()
    assert abs(weights.sum() - decayed.cross_section / fraction) < 3.5 * combined


@pytest.mark.slow
@pytest.mark.parametrize("observable", list(EDGES))
def test_shapes(samples, observable):
    _, ours, theirs = samples
    scale = ours.cross_section / theirs.cross_section
    difference = ours.contents[observable] - scale * theirs.contents[observable]
    variance = ours.variances[observable] + scale**2 * theirs.variances[observable]
    assert (theirs.contents[observable] > 0).all()
    chi2 = float(np.sum(difference**2 / variance))
    assert scipy.stats.chi2.sf(chi2, len(difference) - 1) > 0.01
