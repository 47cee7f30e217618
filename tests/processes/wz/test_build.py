"""The channels of pp → W±Z, and its cross sections against independent generators."""

import math
from dataclasses import replace

import pytest
import torch

from partonic.generation.vegas import VegasSampler
from partonic.physics.hard_process import HardProcess
from partonic.processes.definition import build_process
from partonic.processes.wz.settings import WzConfig

REFERENCES = {
    (-11, 12, 13, -13): (0.02517, 0.00009),
    (11, -12, 13, -13): (0.01655, 0.00005),
}
"""pb, of two programs at 13.6 TeV with NNPDF31_lo_as_0130, μ = 85.7833 GeV, pT(ℓ) > 15 GeV, |η(ℓ)| < 2.5 and
81.2 < m(μμ) < 101.2 GeV."""
FIDUCIAL = WzConfig(lepton_pt_min=15.0, lepton_eta_max=2.5, z_mass_range=(81.2, 101.2))


def only(process: HardProcess, final: tuple[int, ...]) -> HardProcess:
    """Return the process with the channels of one final state."""
    groups = [
        replace(group, channels=tuple(channel for channel in group.channels if channel.final == final))
        for group in process.groups
    ]
    return replace(process, groups=tuple(group for group in groups if group.channels))


def weights(process: HardProcess, number: int) -> torch.Tensor:
    """Coefficients of the cross section of points from a trained grid, pb, `(number, 10)`."""
    generator = torch.Generator().manual_seed(20261129)
    sampler = VegasSampler.uniform(process.dimensions, 50)
    for size in (20_000, 20_000, 20_000, 20_000, 20_000, number):
        numbers, log_density = sampler.sample(size, generator)
        events, log_jacobian = process.from_unit_cube(numbers)
        found = process.coefficients(events) * torch.exp(log_jacobian - log_density)[:, None]
        sampler = sampler.adapted(numbers, found[:, 0], 0.7)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("final", list(REFERENCES))
def test_fiducial_cross_section(final: tuple[int, ...]) -> None:
    found = weights(only(build_process(FIDUCIAL), final), 200_000)[:, 0]
    expected, uncertainty = REFERENCES[final]
    error = math.hypot(float(found.std()) / math.sqrt(len(found)), uncertainty)
    assert error < 0.006 * expected
    assert abs(float(found.mean()) - expected) < 3 * error


@pytest.mark.slow
def test_interference_of_c_www() -> None:
    """The linear term of e⁺ν μμ: (2.08 ± 0.04)% of σ by Sherpa, with a set of parton densities that is near to this."""
    settings = FIDUCIAL.model_copy(
        update={"pdf": FIDUCIAL.pdf.model_copy(update={"name": "NNPDF31_nnlo_as_0118_luxqed"})}
    )
    process = only(build_process(settings), (-11, 12, 13, -13))
    found = weights(process, 150_000)
    column = process.monomials.names.index("c_WWW")
    ratio = float(found[:, column].mean() / found[:, 0].mean())
    error = float(found[:, column].std() / found[:, 0].mean()) / math.sqrt(len(found))
    assert error < 0.002
    assert abs(ratio - 0.0208) < 3 * math.hypot(error, 0.0004)


def test_channels() -> None:
    process = build_process(WzConfig())
    channels = process.channels
    assert len(channels) == len({(channel.initial, channel.final) for channel in channels}) == 2 * 2 * 2 * 4
    charges = {1: -1 / 3, 2: 2 / 3, 3: -1 / 3, 4: 2 / 3, 11: -1, 12: 0, 13: -1, 14: 0}
    for channel in channels:
        incoming, outgoing = (
            sum(math.copysign(charges[abs(pdg)], pdg * charges[abs(pdg)]) for pdg in side)
            for side in (channel.initial, channel.final)
        )
        assert incoming == pytest.approx(outgoing)
        lepton, neutrino, minus, plus = channel.final
        assert lepton * neutrino < 0
        assert abs(neutrino) == abs(lepton) + 1
        assert minus == -plus > 0


def test_choices() -> None:
    assert {channel.final[0] for channel in build_process(WzConfig(leptons=("mu",))).channels} == {-13, 13}
    on_shell = build_process(WzConfig(decays="none"))
    assert {channel.final for channel in on_shell.channels} == {(24, 23), (-24, 23)}
    assert len(on_shell.channels) == 8
    assert on_shell.dimensions == 4


def test_cuts_and_range_hold(torch_rng: torch.Generator) -> None:
    process = build_process(FIDUCIAL)
    numbers = torch.rand(2000, process.dimensions, generator=torch_rng, dtype=torch.float64)
    events, _ = process.from_unit_cube(numbers)
    there = process.coefficients(events)[:, 0] > 0
    charged = events.momenta[there][:, [0, 2, 3]]
    assert there.sum() > 100
    assert (charged[..., 1:3].norm(dim=-1) > 15.0).all()
    assert (torch.asinh(charged[..., 3] / charged[..., 1:3].norm(dim=-1)).abs() < 2.5).all()


def test_points_next_to_the_threshold_are_finite() -> None:
    process = build_process(WzConfig(w_width=0.01))
    numbers = torch.full((3, process.dimensions), 0.5, dtype=torch.float64)
    numbers[:, 0] = numbers.new_tensor([0.9999, 1 - 1e-7, 1 - 1e-9])
    events, log_jacobian = process.from_unit_cube(numbers)
    assert events.momenta.isfinite().all()
    assert (process.coefficients(events)[:, 0] * log_jacobian.exp()).isfinite().all()
    numbers[:, 0] = 1.0
    assert process.from_unit_cube(numbers)[0].momenta.isfinite().all()
    numbers[:, 0], numbers[:, 2] = 0.5, 1.0
    numbers[:, 3] = numbers.new_tensor([0.0, 0.5, 1.0])
    assert process.from_unit_cube(numbers)[0].momenta.isfinite().all()
