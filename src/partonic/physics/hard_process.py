"""A hard process joined from amplitudes, phase space and parton distributions: dσ/dz coefficients in pb.

    dσ/(dΦ_n dx1 dx2) = Σ_ab f_a(x1, μF) f_b(x2, μF) |M_ab(z|θ)|² / (2 x1 x2 S)

Amplitudes are evaluated in the centre-of-mass frame of the partons, where their cancellations are mildest; momenta at
the interface are in the laboratory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.config.process import ProcessConfig
from partonic.errors import NonFiniteError, ProcessError
from partonic.physics.amplitudes.amplitude import Amplitude
from partonic.physics.amplitudes.ttbb import (
    INITIAL_QUARKS,
    BeamsExchanged,
    gluon_fusion_ttbb,
    quark_annihilation_ttbb,
)
from partonic.physics.amplitudes.tth import TopHiggsCouplings, gluon_fusion_tth, quark_annihilation_tth
from partonic.physics.fourvector import boost_along_z
from partonic.physics.particles import BOTTOM, HIGGS, LIGHT_QUARKS, TOP, Particle, vacuum_expectation_value
from partonic.physics.pdf import PartonDensities
from partonic.physics.phasespace.transverse_pairs import TransversePairs
from partonic.physics.phasespace.unit_cube import RamboCube, UnitCube
from partonic.physics.process import Channel, PartonEvents, Process
from partonic.physics.scales import FixedScale, Scale, TransverseMassScale
from partonic.polynomial import Monomials
from partonic.units import GEV2_TO_PB

__all__ = ["AmplitudeGroup", "HardProcess", "build_process", "final_state_and_monomials"]


@dataclass(frozen=True)
class AmplitudeGroup:
    """Channels that share one |M|², such as q q̄ → H t t̄ for all massless quarks.

    Attributes:
        amplitude: evaluated once for the group, with the initial partons along +z and −z in this order.
        channels: initial states and colour flows.
    """

    amplitude: Amplitude
    channels: tuple[Channel, ...]


@dataclass(frozen=True)
class HardProcess:
    """A `Process` made of amplitudes, a map of the unit cube and parton densities.

    Attributes:
        name: short name.
        final_state: particles in the order of the momenta; `PartonEvents.momenta` are on their mass shells.
        groups: the partonic channels, grouped by |M|².
        densities: parton distributions.
        collider_energy: √S, GeV.
        factorization_scale: μF of events.
        renormalization_scale: μR of events.
        cube: the map of the unit cube; None for RAMBO on diet.
    """

    name: str
    final_state: tuple[Particle, ...]
    groups: tuple[AmplitudeGroup, ...]
    densities: PartonDensities
    collider_energy: float
    factorization_scale: Scale
    renormalization_scale: Scale
    cube: UnitCube | None = None

    def __post_init__(self) -> None:
        if not self.groups or any(group.amplitude.monomials != self.monomials for group in self.groups):
            raise ProcessError(f"process '{self.name}' needs at least one amplitude, and the same monomials in all")
        threshold = sum(particle.mass for particle in self.final_state)
        if threshold >= self.collider_energy:
            raise ProcessError(
                f"collider_energy {self.collider_energy} GeV is below the threshold {threshold} GeV of '{self.name}'"
            )

    @property
    def monomials(self) -> Monomials:
        """The monomials of θ."""
        return self.groups[0].amplitude.monomials

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All partonic channels, in the order of `channel_coefficients`."""
        return tuple(channel for group in self.groups for channel in group.channels)

    @property
    def dimensions(self) -> int:
        """Numbers in the unit cube: two for (x1, x2) and then 3n − 4 for the phase space."""
        return self._cube.dimensions

    @property
    def _cube(self) -> UnitCube:
        return self.cube or RamboCube(tuple(particle.mass for particle in self.final_state), self.collider_energy)

    def from_unit_cube(
        self, numbers: Float[Tensor, "events dimensions"]
    ) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to parton events, with log |d(Φ_n, x1, x2)/du|."""
        return self._cube.forward(numbers)

    def to_unit_cube(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map parton events to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        return self._cube.inverse(events)

    def coefficients(self, events: PartonEvents) -> Float[Tensor, "events monomials"]:
        """Return the coefficients of dσ/(dΦ_n dx1 dx2), summed over channels, in pb GeV^(4−2n).

        Raises:
            NonFiniteError: if a coefficient is not finite; the message names the event.
        """
        squared = self._squared_amplitudes(events)
        luminosities = self._luminosities(events)
        total = torch.zeros_like(squared[0])
        start = 0
        for group, coefficients in zip(self.groups, squared, strict=True):
            stop = start + len(group.channels)
            total = total + luminosities[:, start:stop].sum(dim=1, keepdim=True) * coefficients
            start = stop
        return _finite(total, "dσ/dz")

    def channel_coefficients(self, events: PartonEvents) -> Float[Tensor, "events channels monomials"]:
        """Return the same coefficients channel by channel."""
        squared = [
            coefficients[:, None].expand(-1, len(group.channels), -1)
            for group, coefficients in zip(self.groups, self._squared_amplitudes(events), strict=True)
        ]
        return _finite(torch.cat(squared, dim=1) * self._luminosities(events)[:, :, None], "dσ/dz")

    def flow_weights(
        self, events: PartonEvents, theta: Float[Tensor, " parameters"]
    ) -> Float[Tensor, "events channels flows"]:
        """Return relative weights of the colour flows at `theta`, zero for those that a channel lacks."""
        momenta, alpha_s = self._partonic_momenta(events), self.alpha_s(events)
        flows = max(len(channel.colour_flows) for channel in self.channels)
        weights = [
            _padded(group.amplitude.flow_weights(momenta, alpha_s, theta), flows)[:, None].expand(
                -1, len(group.channels), -1
            )
            for group in self.groups
        ]
        return torch.cat(weights, dim=1)

    def scale(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return the factorisation scale μF of each event, in GeV."""
        return self.factorization_scale(events)

    def alpha_s(self, events: PartonEvents) -> Float[Tensor, " events"]:
        """Return α_s(μR) of each event."""
        return self.densities.alpha_s(self.renormalization_scale(events))

    def _partonic_energy(self, x1: Tensor, x2: Tensor) -> Tensor:
        return (x1 * x2).sqrt() * self.collider_energy

    def _partonic_momenta(self, events: PartonEvents) -> Tensor:
        """Return incoming and final momenta in the partonic centre-of-mass frame, `(N, 2 + n, 4)`."""
        half = 0.5 * self._partonic_energy(events.x1, events.x2)
        zero = torch.zeros_like(half)
        beams = torch.stack(
            [torch.stack([half, zero, zero, half], dim=-1), torch.stack([half, zero, zero, -half], dim=-1)], dim=1
        )
        return torch.cat([beams, boost_along_z(events.momenta, _rapidity(events.x2, events.x1))], dim=1)

    def _squared_amplitudes(self, events: PartonEvents) -> list[Tensor]:
        momenta, alpha_s = self._partonic_momenta(events), self.alpha_s(events)
        return [group.amplitude.coefficients(momenta, alpha_s) for group in self.groups]

    def _luminosities(self, events: PartonEvents) -> Tensor:
        """Return f_a(x1) f_b(x2) / (2 x1 x2 S) of all channels in pb, `(N, channels)`."""
        channels = self.channels
        ids = sorted({parton for channel in channels for parton in channel.initial})
        scale = self.scale(events)
        first = self.densities.x_times_density(ids, events.x1, scale)
        second = self.densities.x_times_density(ids, events.x2, scale)
        columns1 = [ids.index(channel.initial[0]) for channel in channels]
        columns2 = [ids.index(channel.initial[1]) for channel in channels]
        flux = GEV2_TO_PB / (2.0 * (events.x1 * events.x2 * self.collider_energy) ** 2)
        return first[:, columns1] * second[:, columns2] * flux[:, None]


def build_process(config: ProcessConfig) -> Process:
    """Return the process that an analysis file asks for.

    Raises:
        PdfError: if the parton distributions are missing.
        ProcessError: if the collider energy is below threshold, or a matrix element cannot be generated.
        DependencyError: if the process needs an external generator that is not installed.
    """
    factorization, renormalization = _scales(config)
    return HardProcess(
        name=config.name,
        final_state=final_state_and_monomials(config)[0],
        groups=_ttbb_groups(config) if config.name == "ttbb" else _tth_groups(config),
        densities=PartonDensities(config.pdf.name, folder=config.pdf.folder, member=config.pdf.member),
        collider_energy=config.collider_energy,
        factorization_scale=factorization,
        renormalization_scale=renormalization,
        cube=TransversePairs(config.top_mass, config.bottom_mass, config.collider_energy)
        if config.name == "ttbb"
        else None,
    )


def final_state_and_monomials(config: ProcessConfig) -> tuple[tuple[Particle, ...], Monomials]:
    """Return the final state of a process and the monomials of its θ, which need no parton densities."""
    top = Particle(TOP.name, TOP.pdg_id, config.top_mass, TOP.width)
    if config.name == "ttbb":
        bottom = Particle(BOTTOM.name, BOTTOM.pdg_id, config.bottom_mass, BOTTOM.width)
        return (top, top.antiparticle, bottom, bottom.antiparticle), Monomials.constant()
    higgs = Particle(HIGGS.name, HIGGS.pdg_id, config.higgs_mass, HIGGS.width)
    return (higgs, top, top.antiparticle), gluon_fusion_tth().monomials


def _scales(config: ProcessConfig) -> tuple[Scale, Scale]:
    """Return μF and μR: m_t + m_H/2 for ttH; for ttbb those of arXiv:1309.5912, eq. 2.

    In t t̄ b b̄ two of the four powers of α_s belong to the b quarks, whose transverse momenta are a tenth of m_t: the
    geometric mean lets each quark choose the scale of its own power.
    """
    if config.name == "ttbb":
        masses = tuple(particle.mass for particle in final_state_and_monomials(config)[0])
        return (
            TransverseMassScale(masses[:2], "arithmetic", config.factorization_scale_factor),
            TransverseMassScale(masses, "geometric", config.renormalization_scale_factor),
        )
    scale = config.top_mass + 0.5 * config.higgs_mass
    return (
        FixedScale(config.factorization_scale_factor * scale),
        FixedScale(config.renormalization_scale_factor * scale),
    )


def _tth_groups(config: ProcessConfig) -> tuple[AmplitudeGroup, ...]:
    """Return gg and q q̄.

    q q̄ and q̄ q share one |M|²: summed over quark helicities the s-channel current is symmetric in quark and antiquark.
    """
    couplings = TopHiggsCouplings(config.top_mass, config.higgs_mass, vacuum_expectation_value(config.fermi_constant))
    gluons = gluon_fusion_tth(couplings)
    quarks = [quark_annihilation_tth(sign * quark, couplings) for quark in LIGHT_QUARKS for sign in (1, -1)]
    return AmplitudeGroup(gluons, _channels([gluons])), AmplitudeGroup(quarks[0], _channels(quarks))


def _ttbb_groups(config: ProcessConfig) -> tuple[AmplitudeGroup, ...]:
    """Return gg, q q̄ and q̄ q, which differ here."""
    gluons = gluon_fusion_ttbb(config.top_mass, config.bottom_mass)
    quarks = quark_annihilation_ttbb(config.top_mass, config.bottom_mass)
    exchanged = BeamsExchanged(quarks)
    return (
        AmplitudeGroup(gluons, _channels([gluons])),
        AmplitudeGroup(quarks, tuple(Channel((q, -q), quarks.colour_flows) for q in INITIAL_QUARKS)),
        AmplitudeGroup(exchanged, tuple(Channel((-q, q), exchanged.colour_flows) for q in INITIAL_QUARKS)),
    )


def _channels(amplitudes: Sequence[Amplitude]) -> tuple[Channel, ...]:
    return tuple(
        Channel((amplitude.particles[0], amplitude.particles[1]), amplitude.colour_flows) for amplitude in amplitudes
    )


def _rapidity(x1: Tensor, x2: Tensor) -> Tensor:
    """Return the rapidity ½ ln(x1/x2) of the partonic system in the laboratory, `(N, 1)`."""
    return 0.5 * (x1 / x2).log()[:, None]


def _padded(weights: Tensor, flows: int) -> Tensor:
    return torch.nn.functional.pad(weights, (0, flows - weights.shape[1]))


def _finite(values: Tensor, name: str) -> Tensor:
    bad = ~values.isfinite().flatten(1).all(dim=1)
    if bad.any():
        first = int(bad.nonzero()[0])
        raise NonFiniteError(f"{name} is not finite for {int(bad.sum())} of {len(bad)} events; first: event {first}")
    return values
