"""Toy transfer functions, a toy process without parton densities, and an event whose quarks are known."""

from dataclasses import dataclass

import torch
from torch import Tensor

from partonic.events.batch import RecoEvents
from partonic.mem.classical.extra_jets import ExtraJets
from partonic.mem.classical.recoil import MissingMomentum, Recoil
from partonic.mem.classical.response import JetResponse
from partonic.mem.classical.tagging import TagProbability
from partonic.mem.classical.transfer import TransferFunctions
from partonic.physics.fourvector import on_shell
from partonic.physics.kinematics import to_pt_eta_phi_m
from partonic.physics.particles import BOTTOM, HIGGS, TOP, Particle
from partonic.physics.phasespace.twobody import decay
from partonic.physics.process import Channel, PartonEvents
from partonic.polynomial import Monomials

W_MASS = 80.379
MASSES = (TOP.mass, W_MASS)


def response(offset: float = -2.0) -> JetResponse:
    """Return a response with a resolution of a tenth and a tail."""
    row = [offset, -0.03, 1.0, 0.9, 0.07, -20.0, 0.0, 20.0, 0.1, 0.2, 0.2, 0.04]
    rows = torch.tensor([row, row], dtype=torch.float64)
    return JetResponse(torch.tensor([1.2, 2.4], dtype=torch.float64), rows, 30.0)


def transfer() -> TransferFunctions:
    return TransferFunctions(
        bottom=response(),
        light=response(0.0),
        tags=TagProbability(torch.tensor([[0.9, 0.2, -0.3], [-1.4, 0.2, -0.2], [-4.0, 0.2, 0.0]], dtype=torch.float64)),
        missing=MissingMomentum(0.35, 5.0, 0.9),
        recoil=Recoil(
            1.0,
            torch.tensor([[20.0, 60.0], [30.0, 80.0], [40.0, 90.0]], dtype=torch.float64),
            torch.tensor([0.25, 0.2, 0.25], dtype=torch.float64),
        ),
        extra=ExtraJets(
            torch.tensor([0.44, 0.34, 0.15, 0.05, 0.014, 0.004, 0.002], dtype=torch.float64),
            torch.tensor([21.0, 80.0], dtype=torch.float64),
            0.4,
            torch.tensor([0.13, 0.07, 0.8], dtype=torch.float64),
            30.0,
            2.4,
        ),
        facts={"store": "toy"},
    )  # fmt: skip


@dataclass(frozen=True)
class ToyProcess:
    """dσ/dz that falls with x1 x2, with a coefficient that depends on the angle of the first particle."""

    particles: tuple[Particle, ...] = (HIGGS, TOP, TOP.antiparticle)
    name: str = "toy"
    collider_energy: float = 13000.0

    @property
    def final_state(self) -> tuple[Particle, ...]:
        return self.particles

    @property
    def monomials(self) -> Monomials:
        return Monomials.up_to_degree(("a",), 2)

    @property
    def dimensions(self) -> int:
        return 3 * len(self.particles) - 2

    @property
    def channels(self) -> tuple[Channel, ...]:
        return ()

    def from_unit_cube(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        raise NotImplementedError

    def to_unit_cube(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        raise NotImplementedError

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        raise NotImplementedError

    def flow_weights(self, events: PartonEvents, theta: Tensor) -> Tensor:
        raise NotImplementedError

    def scale(self, events: PartonEvents) -> Tensor:
        raise NotImplementedError

    def alpha_s(self, events: PartonEvents) -> Tensor:
        raise NotImplementedError

    def coefficients(self, events: PartonEvents) -> Tensor:
        total = events.momenta.sum(dim=1)
        scale = events.x1 * events.x2 * self.collider_energy**2
        if not bool((total[:, 1:3].abs() < 1e-6 * total[:, :1]).all()):
            message = "the hard process must have no transverse momentum"
            raise ValueError(message)
        base = 1e3 * (events.x1 * events.x2) ** -3 * ((1.0 - events.x1) * (1.0 - events.x2)) ** 5 / scale
        first = events.momenta[:, 0]
        slope = first[:, 1:3].square().sum(dim=1) / 200.0**2
        return torch.stack([base, base * slope, base * slope.square()], dim=1)


TTBB = ToyProcess((TOP, TOP.antiparticle, Particle("b", 5, 4.7), Particle("bbar", -5, 4.7)), "toy_ttbb")
MASSLESS_TTBB = ToyProcess((TOP, TOP.antiparticle, BOTTOM, BOTTOM.antiparticle), "toy_massless_ttbb")


def quarks() -> tuple[Tensor, Tensor, Tensor]:
    """Return the six quarks (b, b of H, b, q, q', b), lepton and neutrino of an event, GeV."""
    heavy = on_shell(
        torch.tensor([[90.0, -40.0, 60.0], [-120.0, 70.0, -90.0], [30.0, -30.0, 130.0]], dtype=torch.float64),
        torch.tensor([HIGGS.mass, TOP.mass, TOP.mass], dtype=torch.float64),
    )
    numbers = torch.tensor([[0.3, 0.1], [0.6, 0.75], [0.4, 0.3], [0.45, 0.55], [0.7, 0.2]], dtype=torch.float64)
    b1, b2, _ = decay(heavy[0], 0.0, 0.0, numbers[0])
    b_had, w_had, _ = decay(heavy[1], 0.0, W_MASS, numbers[1])
    up, down, _ = decay(w_had, 0.0, 0.0, numbers[2])
    b_lep, w_lep, _ = decay(heavy[2], 0.0, W_MASS, numbers[3])
    lepton, neutrino, _ = decay(w_lep, 0.0, 0.0, numbers[4])
    return torch.stack([b1, b2, b_had, up, down, b_lep]), lepton, neutrino


def reco(order: tuple[int, ...] = (0, 1, 2, 3, 4, 5), lepton_pdg: int = 13) -> RecoEvents:
    """Return the event with a jet for each quark of `order`, in this order; those of b quarks are tagged."""
    partons, lepton, neutrino = quarks()
    jets = to_pt_eta_phi_m(partons)[list(order)]
    tagged = torch.tensor([[slot not in {3, 4} for slot in order]])
    flavour = torch.cat([jets[:, :3], torch.zeros((len(order), 1)).double(), tagged[0][:, None].double()], dim=1)
    leptons = torch.cat([to_pt_eta_phi_m(lepton)[:3], torch.zeros(2).double()])
    met = torch.stack([torch.hypot(neutrino[1], neutrino[2]), torch.atan2(neutrino[2], neutrino[1])])
    return RecoEvents(
        jets=flavour[None].float(),
        jet_tagged=tagged,
        jet_mask=torch.ones((1, len(order)), dtype=torch.bool),
        leptons=leptons[None, None].float(),
        lepton_pdg=torch.tensor([[lepton_pdg]]),
        lepton_mask=torch.ones((1, 1), dtype=torch.bool),
        met=met[None].float(),
    )
