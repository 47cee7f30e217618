"""q q̄' → ℓν ℓℓ against independent programs, and its symmetries."""

import json
from pathlib import Path

import pytest
import torch

from partonic.errors import ProcessError
from partonic.physics.amplitudes.wavefunctions import component_first
from partonic.physics.fourvector import mass
from partonic.physics.phasespace.rambo import Rambo
from partonic.processes.wz.amplitude import WZAmplitude, w_plus_z_amplitudes
from partonic.processes.wz.couplings import WZCouplings

PLUS = (2, -1, -11, 12, 13, -13)
MINUS = (1, -2, 11, -12, 13, -13)
SIGNS = {"c_PhiWB": ("cHWB", 1), "c_WWW": ("cW", -1), "c_Phiq3": ("cHq3", 1)}
"""Their names in the reference, whose D = ∂ + i g W turns the sign of c_WWW."""


@pytest.fixture(scope="module")
def reference(repository: Path) -> dict:
    path = repository / "tests" / "reference" / "electroweak_points.json"
    return json.loads(path.read_text(encoding="utf-8"))["processes"]["a_WZ_4l"]


@pytest.fixture
def momenta(torch_rng: torch.Generator) -> torch.Tensor:
    """Momenta of 200 events of √ŝ = 400 GeV, filled uniformly."""
    rambo = Rambo((0.0, 0.0, 0.0, 0.0))
    numbers = torch.rand(200, rambo.dimensions, generator=torch_rng, dtype=torch.float64)
    energy = torch.full((200,), 400.0, dtype=torch.float64)
    beams = torch.tensor([[200.0, 0, 0, 200.0], [200.0, 0, 0, -200.0]], dtype=torch.float64).expand(200, 2, 4)
    return torch.cat([beams, rambo.forward(numbers, energy)[0]], dim=1)


def coefficients(particles: tuple[int, ...], momenta: torch.Tensor, **options: object) -> torch.Tensor:
    alpha_s = torch.full((len(momenta),), 0.118, dtype=torch.float64)
    return WZAmplitude(particles, **options).coefficients(momenta, alpha_s)


def test_every_coefficient_is_that_of_independent_programs(reference: dict) -> None:
    names = WZAmplitude(PLUS).monomials.names
    found = coefficients(PLUS, torch.tensor(reference["momenta"], dtype=torch.float64))
    expected = {"1": reference["sm"]}
    for ours, (theirs, sign) in SIGNS.items():
        expected[ours] = [sign * value for value in reference["linear"][theirs]]
        expected[f"{ours}^2"] = reference["quadratic"][theirs]
    for pair, values in reference["cross"].items():
        first, second = pair.split("*")
        both = {theirs: (ours, sign) for ours, (theirs, sign) in SIGNS.items()}
        (one, sign_1), (other, sign_2) = both[first], both[second]
        name = f"{one}*{other}" if f"{one}*{other}" in names else f"{other}*{one}"
        expected[name] = [sign_1 * sign_2 * value for value in values]
    assert set(expected) == set(names)
    for index, name in enumerate(names):
        torch.testing.assert_close(
            found[:, index], torch.tensor(expected[name], dtype=torch.float64), rtol=1e-10, atol=0, msg=name
        )


def test_exchange_of_the_beams_is_a_reflection(momenta: torch.Tensor) -> None:
    """d̄ u with the event turned around is u d̄."""
    turned = momenta[:, [1, 0, 2, 3, 4, 5]]
    torch.testing.assert_close(coefficients((-1, 2, *PLUS[2:]), turned), coefficients(PLUS, momenta))


def test_charge_conjugate_is_the_mirror_image(momenta: torch.Tensor) -> None:
    """CP: ū d → e⁻ν̄ μ⁺μ⁻ with reflected momenta is u d̄ → e⁺ν μ⁻μ⁺."""
    mirrored = momenta * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=torch.float64)
    conjugate = mirrored[:, [0, 1, 2, 3, 5, 4]]
    torch.testing.assert_close(coefficients((-2, 1, *MINUS[2:]), conjugate), coefficients(PLUS, momenta))


def test_rotation_and_boost_change_nothing(momenta: torch.Tensor) -> None:
    rotation = torch.linalg.matrix_exp(torch.tensor([[0.0, 0.3, -0.2], [-0.3, 0.0, 0.5], [0.2, -0.5, 0.0]]).double())
    turned = torch.cat([momenta[..., :1], momenta[..., 1:] @ rotation.T], dim=-1)
    gamma, boost = 1.25, 0.75
    moved = turned.clone()
    moved[..., 0] = gamma * turned[..., 0] + boost * turned[..., 3]
    moved[..., 3] = gamma * turned[..., 3] + boost * turned[..., 0]
    torch.testing.assert_close(coefficients(PLUS, moved), coefficients(PLUS, momenta), rtol=1e-8, atol=1e-20)


def test_cross_section_is_positive_at_every_theta(momenta: torch.Tensor, torch_rng: torch.Generator) -> None:
    theta = 10.0 * torch.randn(100, 3, generator=torch_rng, dtype=torch.float64)
    monomials = torch.from_numpy(WZAmplitude(PLUS).monomials.evaluate(theta.numpy()))
    values = coefficients(PLUS, momenta) @ monomials.T
    assert (values > -1e-12 * values.amax(dim=1, keepdim=True)).all()


ALIKE = (2, -1, -11, 12, 11, -11)


def test_three_leptons_of_one_flavour_are_counted_once(momenta: torch.Tensor) -> None:
    """Of an event and the one with the two equal leptons exchanged one is there; interference is small."""
    exchanged = momenta[:, [0, 1, 5, 3, 4, 2]]
    here, there = (coefficients(ALIKE, each, pair_mass_min=0.0)[:, 0] for each in (momenta, exchanged))
    assert ((here > 0) != (there > 0)).all()
    resonant, other = momenta[here > 0], exchanged[here > 0]
    ours = coefficients(ALIKE, resonant, pair_mass_min=0.0)[:, 0]
    distinct = coefficients(PLUS, resonant)[:, 0] + coefficients(PLUS, other)[:, 0]
    # Schwarz's inequality: |M_1 − M_2|² ≤ 2(|M_1|² + |M_2|²).
    assert (ours <= 2.0 * distinct).all()
    assert (ours.sum() / distinct.sum() - 1.0).abs() < 0.2


def test_two_equal_leptons_exclude_each_other(momenta: torch.Tensor) -> None:
    """Pauli: with equal momenta of both ℓ⁺ only those of opposite helicities are left, 2 |M_R|²."""
    same = momenta.clone()
    same[:, 5] = same[:, 2]  # momentum is not conserved, which the exchange does not mind
    ours = coefficients(ALIKE, same, pair_mass_min=0.0)[:, 0]
    left, right = w_plus_z_amplitudes(component_first(same), WZCouplings())[0].abs().square()
    torch.testing.assert_close(ours, 2.0 * right / 12.0)
    assert (left > right).double().mean() > 0.5


def test_photon_pole_of_the_other_pair_is_cut_off(momenta: torch.Tensor) -> None:
    other = mass(momenta[:, 2] + momenta[:, 4])
    cut = coefficients(ALIKE, momenta, pair_mass_min=100.0)[:, 0]
    uncut = coefficients(ALIKE, momenta, pair_mass_min=0.0)[:, 0]
    torch.testing.assert_close(cut, torch.where(other > 100.0, uncut, 0.0))
    assert ((other < 100.0) & (uncut > 0)).any()


def test_doubly_resonant_diagrams_are_most_of_it_on_the_resonances(torch_rng: torch.Generator) -> None:
    from partonic.physics.phasespace.boson_pair import BosonPairCube
    from partonic.physics.phasespace.breit_wigner import BreitWigner

    scheme = WZCouplings().scheme
    cube = BosonPairCube(
        BreitWigner(scheme.w_mass, scheme.w_width), BreitWigner(scheme.z_mass, scheme.z_width), (86.0, 96.0), 400.0
    )
    numbers = torch.rand(2000, 10, generator=torch_rng, dtype=torch.float64)
    events, log_jacobian = cube.forward(numbers)
    half = 200.0
    beams = torch.stack([half * events.x1, half * events.x2], dim=1)[..., None] * torch.tensor(
        [[1.0, 0, 0, 1.0], [1.0, 0, 0, -1.0]], dtype=torch.float64
    )
    momenta = torch.cat([beams, events.momenta], dim=1)
    volume = log_jacobian.exp()
    full = (coefficients(PLUS, momenta)[:, 0] * volume).sum()
    resonant = (coefficients(PLUS, momenta, doubly_resonant=True)[:, 0] * volume).sum()
    assert 0.9 < resonant / full < 1.1


@pytest.mark.parametrize(
    "particles",
    [
        (2, -2, -11, 12, 13, -13),
        (2, -1, 11, -12, 13, -13),
        (2, -1, -11, 14, 13, -13),
        (2, -1, -11, 12, 13, -11),
        (2, -1),
    ],
)
def test_what_is_no_channel_is_refused(particles: tuple[int, ...]) -> None:
    with pytest.raises(ProcessError, match="is no channel of"):
        WZAmplitude(particles)


def test_single_precision_is_refused(momenta: torch.Tensor) -> None:
    with pytest.raises(ProcessError, match="need float64 momenta"):
        coefficients(PLUS, momenta.float())
