"""W±Z at leading order against Pythia's own f f̄' → Z W, at equal densities, scales and couplings.

Pythia has the matrix element of bosons on their mass shells (Brown, Sahdev and Mikaelian), the correlations of the
leptons by another one (Gunion and Kunszt), a phase-space generator and an interpolation of the parton densities that
are not ours. Our leptons come from bosons of a width of 10 MeV, where the diagrams with one resonance and the photon
count for nothing.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import pythia8mc
import scipy.stats
import torch

from partonic.generation.vegas import VegasSampler
from partonic.physics.electroweak import ElectroweakScheme
from partonic.physics.hard_process import HardProcess
from partonic.processes.definition import build_process
from partonic.processes.wz.observables import wz_observables
from partonic.processes.wz.settings import WzConfig
from partonic.rng import pythia_seed

EVENTS = 40_000
POINTS = 120_000
NARROW = 0.01
PICOBARN_PER_MILLIBARN = 1e9
CONFIG = WzConfig(w_width=NARROW, z_width=NARROW, z_mass_range=(86.0, 96.0))
EDGES = {
    "pt_Z": np.array([0, 15, 30, 45, 60, 80, 100, 130, 170, 250, 400, 4000.0]),
    "mass_WZ": np.array([170, 190, 205, 220, 240, 270, 310, 370, 470, 700, 13600.0]),
    "cos_theta_W": np.linspace(-1, 1, 11),
    "cos_theta_Z": np.linspace(-1, 1, 11),
    "phi_W": np.linspace(-math.pi, math.pi, 13),
    "phi_Z": np.linspace(-math.pi, math.pi, 13),
}


@dataclass(frozen=True)
class Sample:
    cross_section: float
    error: float
    contents: dict[str, np.ndarray]
    variances: dict[str, np.ndarray]


@dataclass(frozen=True)
class Points:
    momenta: torch.Tensor
    weights: np.ndarray
    error: float


def sampled(momenta: torch.Tensor, weights: np.ndarray, error: float) -> Sample:
    """Histograms of ℓ_W, ν, ℓ⁻, ℓ⁺, `(N, 4, 4)`."""
    pdg = torch.zeros(momenta.shape[:2], dtype=torch.int64)
    values = {each.name: each.of(momenta, pdg).numpy() for each in wz_observables() if each.name in EDGES}
    contents = {name: np.histogram(values[name], edges, weights=weights)[0] for name, edges in EDGES.items()}
    variances = {name: np.histogram(values[name], edges, weights=weights**2)[0] for name, edges in EDGES.items()}
    return Sample(float(weights.sum()), error, contents, variances)


def pythia_settings() -> list[str]:
    """Settings that give Pythia our constants, a fixed scale and bosons on their mass shells."""
    return [
        f"Beams:eCM = {CONFIG.collider_energy}",
        "WeakDoubleBoson:ffbar2ZW = on",
        "PartonLevel:all = off",
        "HadronLevel:all = off",
        "PhaseSpace:useBreitWigners = off",
        "SigmaProcess:alphaEMorder = 0",
        "SigmaProcess:renormScale2 = 5",
        "SigmaProcess:factorScale2 = 5",
        f"SigmaProcess:factorFixScale = {(0.5 * (CONFIG.w_mass + CONFIG.z_mass)) ** 2!r}",
        f"24:m0 = {CONFIG.w_mass}",
        f"23:m0 = {CONFIG.z_mass}",
        "24:onMode = off",
        "24:onIfAny = 11 13",
        "23:onMode = off",
        "23:onIfAny = 11 13",
        f"PDF:pSet = LHAGrid1:{CONFIG.pdf.name}_0000.dat",
        "Random:setSeed = on",
        f"Random:seed = {pythia_seed(7, 'wz')}",
        "Print:quiet = on",
    ]


def couplings() -> dict[str, float]:
    """Return our α, sin²θ_W and CKM matrix by Pythia's names."""
    scheme = ElectroweakScheme(CONFIG.w_mass, CONFIG.z_mass, CONFIG.fermi_constant)
    alpha, sine_square = scheme.electric_charge**2 / (4 * math.pi), scheme.sine**2
    mixing = {f"V{up}{down}": float(up + down in ("ud", "cs", "tb")) for up in "uct" for down in "dsb"}
    return {
        "alphaEM0": alpha, "alphaEMmZ": alpha, "sin2thetaW": sine_square, "sin2thetaWbar": sine_square, **mixing,
    }  # fmt: skip


def branching_fraction(pythia: pythia8mc.Pythia, pdg: int) -> float:
    """Pythia's fraction of decays of a boson to e and μ, which is in its cross section."""
    entry = pythia.particleData.particleDataEntryPtr(pdg)
    channels = [entry.channel(k) for k in range(entry.sizeChannels())]
    return sum(each.bRatio() for each in channels if abs(each.product(0)) in (11, 13))


@pytest.fixture(scope="module")
def theirs() -> Sample:
    pythia = pythia8mc.Pythia("", False)
    for line in pythia_settings():
        assert pythia.readString(line), line
    for name, value in couplings().items():
        pythia.settings.parm(f"StandardModel:{name}", value, True)  # beyond the range that Pythia expects
    assert pythia.init()
    momenta = np.empty((EVENTS, 4, 4))
    for i in range(EVENTS):
        assert pythia.next()
        leptons = [pythia.process[k] for k in range(7, pythia.process.size())]
        assert len(leptons) == 4
        of_w, of_z = ([p for p in leptons if pythia.process[p.mother1()].idAbs() == pdg] for pdg in (24, 23))
        slots = [*sorted(of_w, key=lambda p: p.idAbs() % 2 == 0), *sorted(of_z, key=lambda p: -p.id())]
        momenta[i] = [(p.e(), p.px(), p.py(), p.pz()) for p in slots]
    info = pythia.infoPython()
    fraction = branching_fraction(pythia, 24) * branching_fraction(pythia, 23)
    sigma = info.sigmaGen() * PICOBARN_PER_MILLIBARN / fraction
    weights = np.full(EVENTS, sigma / EVENTS)
    return sampled(torch.from_numpy(momenta), weights, sigma * info.sigmaErr() / info.sigmaGen())


def points(process: HardProcess, number: int) -> Points:
    """Draw from a trained grid."""
    generator = torch.Generator().manual_seed(20261129)
    sampler = VegasSampler.uniform(process.dimensions, 32)
    for size in (10_000, 10_000, 10_000, 10_000, number):
        numbers, log_density = sampler.sample(size, generator)
        events, log_jacobian = process.from_unit_cube(numbers)
        weights = process.coefficients(events)[:, 0] * torch.exp(log_jacobian - log_density)
        sampler = sampler.adapted(numbers, weights, 0.7)
    return Points(events.momenta, weights.numpy() / number, math.sqrt(number) * float(weights.std()) / number)


@pytest.fixture(scope="module")
def leptons() -> Sample:
    """Leptons of two flavours; those of one flavour are the same in this limit."""
    process = build_process(CONFIG)
    groups = [
        replace(group, channels=tuple(c for c in group.channels if abs(c.final[0]) != c.final[2]))
        for group in process.groups
    ]
    process = replace(process, groups=tuple(group for group in groups if group.channels))
    drawn = points(process, POINTS)
    return sampled(drawn.momenta, drawn.weights, drawn.error)


@pytest.fixture(scope="module")
def on_shell() -> tuple[float, float]:
    drawn = points(build_process(WzConfig(decays="none")), POINTS // 2)
    return float(drawn.weights.sum()), drawn.error


@pytest.mark.slow
def test_cross_section_on_shell(theirs: Sample, on_shell: tuple[float, float]) -> None:
    sigma, error = on_shell
    combined = math.hypot(error, theirs.error)
    assert combined < 0.006 * sigma
    assert abs(sigma - theirs.cross_section) < 3.5 * combined


@pytest.mark.slow
def test_leptons_are_the_branching_fractions_of_it(leptons: Sample, on_shell: tuple[float, float]) -> None:
    """Γ(W → ℓν)/Γ · Γ(Z → ℓℓ)/Γ at leading order, for the two pairs (e, μ) and (μ, e)."""
    scheme = ElectroweakScheme(CONFIG.w_mass, CONFIG.z_mass, CONFIG.fermi_constant)
    left, right = scheme.z_couplings(11)
    of_w = scheme.weak_coupling**2 * CONFIG.w_mass / (48 * math.pi) / NARROW
    of_z = (left**2 + right**2) * CONFIG.z_mass / (24 * math.pi) / NARROW
    fraction = 2 * of_w * of_z
    error = math.hypot(leptons.error / fraction, on_shell[1])
    assert error < 0.01 * on_shell[0]
    assert abs(leptons.cross_section / fraction - on_shell[0]) < 3.5 * error


@pytest.mark.slow
@pytest.mark.parametrize("observable", list(EDGES))
def test_shapes(leptons: Sample, theirs: Sample, observable: str) -> None:
    scale = leptons.cross_section / theirs.cross_section
    difference = leptons.contents[observable] - scale * theirs.contents[observable]
    variance = leptons.variances[observable] + scale**2 * theirs.variances[observable]
    assert (theirs.contents[observable] > 0).all()
    chi2 = float(np.sum(difference**2 / variance))
    assert scipy.stats.chi2.sf(chi2, len(difference) - 1) > 0.01
