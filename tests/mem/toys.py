"""Linear-Gaussian events: z ~ N(0, 1), x = A z + noise, of which every integral of the matrix element method is known.

The D ≤ 8 numbers z stand in the momenta of two partons, and x in the features of two jets. The amplitude is
1 + θ₁ a·z + θ₂ b·z, so that dσ/dz = σ₀ N(z; 0, 1) (1 + θ₁ a·z + θ₂ b·z)².
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from partonic.config.mem import BaseConfig, MemConfig, PointsConfig
from partonic.events.batch import RecoEvents
from partonic.features.decay_channel import DecayChannel
from partonic.mem.integral.integrand import Ingredients
from partonic.physics.process import Channel, PartonEvents
from partonic.polynomial import Monomials

MONOMIALS = Monomials.up_to_degree(("first", "second"), 2)
CHANNEL = DecayChannel("dilepton", (6, -6))
SIGMA = 0.5
ACCEPTANCE = 0.4


def partons_of(z: Tensor) -> PartonEvents:
    momenta = torch.nn.functional.pad(z, (0, 8 - z.shape[-1])).view(-1, 2, 4)
    half = torch.full((len(z),), 0.5, dtype=z.dtype)
    return PartonEvents(momenta, half, half)


def reco_of(x: Tensor) -> RecoEvents:
    n = len(x)
    mask = torch.ones((n, 2), dtype=torch.bool)
    return RecoEvents(
        jets=torch.nn.functional.pad(x, (0, 10 - x.shape[1])).view(n, 2, 5).float(), jet_tagged=mask, jet_mask=mask,
        leptons=torch.zeros((n, 2, 5)), lepton_pdg=torch.tensor([[11, -13]]).expand(n, 2), lepton_mask=mask,
        met=torch.zeros((n, 2)),
    )  # fmt: skip


@dataclass(frozen=True)
class NormalView:
    """z = scale Φ⁻¹(u)."""

    dimensions: int
    scale: float = 3.0

    def partons(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        normal = torch.special.ndtri(numbers)
        slope = 0.5 * normal.square() + 0.5 * math.log(2 * math.pi) + math.log(self.scale)
        return partons_of(self.scale * normal), slope.sum(dim=-1)

    def numbers(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        numbers = torch.special.ndtr(events.momenta.flatten(1)[:, : self.dimensions] / self.scale)
        return numbers, -self.partons(numbers)[1]


@dataclass(frozen=True)
class LogitView:
    """z = scale logit(u), its order turned round: another parametrisation of the same z."""

    dimensions: int
    scale: float = 1.0

    def partons(self, numbers: Tensor) -> tuple[PartonEvents, Tensor]:
        slope = -numbers.log() - torch.log1p(-numbers) + math.log(self.scale)
        return partons_of(self.scale * numbers.logit().flip(-1)), slope.sum(dim=-1)

    def numbers(self, events: PartonEvents) -> tuple[Tensor, Tensor]:
        z = events.momenta.flatten(1)[:, : self.dimensions]
        numbers = torch.sigmoid(z / self.scale).flip(-1)
        return numbers, -self.partons(numbers)[1]


@dataclass
class LinearGaussian:
    """The toy in D dimensions: process, transfer function, acceptance, and what comes out."""

    dimensions: int
    seed: int = 1
    name: str = "toy"
    monomials: Monomials = MONOMIALS
    acceptance: float = ACCEPTANCE
    scale: float = field(default=0.6)

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        kind = {"generator": generator, "dtype": torch.float64}
        self.matrix = torch.eye(self.dimensions, dtype=torch.float64) + 0.3 * torch.randn(
            (self.dimensions, self.dimensions), **kind
        )
        self.a, self.b = torch.randn((2, self.dimensions), **kind) / math.sqrt(self.dimensions)
        precision = torch.eye(self.dimensions, dtype=torch.float64) + self.matrix.T @ self.matrix / self.scale**2
        self.spread = torch.linalg.inv(precision)

    def events(self, n: int, seed: int = 2) -> RecoEvents:
        """Accepted events at θ = 0."""
        generator = torch.Generator().manual_seed(seed)
        z, noise = torch.randn((2, n, self.dimensions), generator=generator, dtype=torch.float64)
        return reco_of(z @ self.matrix.T + self.scale * noise)

    def coefficients(self, events: PartonEvents) -> Tensor:
        z = events.momenta.flatten(1)[:, : self.dimensions]
        first, second = z @ self.a, z @ self.b
        one = torch.ones_like(first)
        factors = [one, 2 * first, 2 * second, first**2, 2 * first * second, second**2]
        log_prior = -0.5 * z.square().sum(dim=-1) - 0.5 * self.dimensions * math.log(2 * math.pi)
        return SIGMA * log_prior.exp()[:, None] * torch.stack(factors, dim=-1)

    def log_density(self, x: RecoEvents, momenta: Tensor) -> Tensor:
        z = momenta.flatten(2)[..., : self.dimensions]
        residual = (self.x(x)[:, None] - z @ self.matrix.T) / self.scale
        constant = self.dimensions * (math.log(self.scale) + 0.5 * math.log(2 * math.pi))
        return -0.5 * residual.square().sum(dim=-1) - constant

    def log_probability(self, momenta: Tensor) -> Tensor:
        return torch.full((len(momenta),), self.acceptance, dtype=torch.float64).log()

    def x(self, reco: RecoEvents) -> Tensor:
        return reco.jets.double().flatten(1)[:, : self.dimensions]

    def centre(self, reco: RecoEvents) -> Tensor:
        """Mean of z given x, `(N, D)`."""
        return self.x(reco) @ (self.spread @ self.matrix.T / self.scale**2).T

    def truth(self, reco: RecoEvents) -> tuple[np.ndarray, np.ndarray]:
        """log P_0 `(N,)` and the ratios `(N, 6)`."""
        covariance = self.matrix @ self.matrix.T + self.scale**2 * torch.eye(self.dimensions, dtype=torch.float64)
        zero = torch.zeros(self.dimensions, dtype=torch.float64)
        density = torch.distributions.MultivariateNormal(zero, covariance).log_prob(self.x(reco))
        m = self.centre(reco)
        first, second = m @ self.a, m @ self.b
        aa, ab, bb = (p @ self.spread @ q for p, q in ((self.a, self.a), (self.a, self.b), (self.b, self.b)))
        one = torch.ones_like(first)
        ratios = [one, 2 * first, 2 * second, aa + first**2, 2 * (ab + first * second), bb + second**2]
        reference = density + math.log(SIGMA) + (math.log(self.acceptance) if self.acceptance else -math.inf)
        return reference.numpy(), torch.stack(ratios, dim=-1).numpy()


class PosteriorProposal:
    """A Gaussian near the posterior of the toy: too wide, and beside it."""

    base_scale = 1.0

    def __init__(self, toy: LinearGaussian, view: object, width: float = 1.25, offset: float = 0.2) -> None:
        self.toy, self.view = toy, view
        self.root = width * torch.linalg.cholesky(toy.spread)
        self.offset = offset

    def transport(self, x: RecoEvents, noise: Tensor) -> tuple[Tensor, Tensor]:
        spread = self.toy.spread.diagonal().sqrt()
        z = self.toy.centre(x)[:, None] + self.offset * spread + noise @ self.root.T
        numbers, log_slope = self.view.numbers(partons_of(z.flatten(0, 1)))
        shape = noise.shape[:2]
        # |dn/du| = |dn/dz| / |du/dz|
        log_root = float(self.root.diagonal().log().sum())
        return numbers.view(noise.shape), -log_slope.view(shape) - log_root

    def sample_and_log_density(self, x: RecoEvents, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        noise = torch.randn((len(x), n, self.toy.dimensions), generator=generator, dtype=torch.float64)
        numbers, log_slope = self.transport(x, noise)
        return numbers, gaussian(noise) + log_slope


class PlainProposal:
    """The same without its map."""

    def __init__(self, proposal: PosteriorProposal) -> None:
        self.view = proposal.view
        self.sample_and_log_density = proposal.sample_and_log_density


def gaussian(noise: Tensor) -> Tensor:
    return -0.5 * noise.square().sum(dim=-1) - 0.5 * noise.shape[-1] * math.log(2 * math.pi)


def ingredients_of(toy: LinearGaussian, proposal: object = None, **changes: object) -> Ingredients:
    parts = {
        "process": toy, "decay_channel": CHANNEL, "transfer": toy, "acceptance": toy,
        "proposal": proposal or PosteriorProposal(toy, NormalView(toy.dimensions)),
    }  # fmt: skip
    return Ingredients(**{**parts, **changes})


def config_of(base: str = "gaussian", points: int = 1000, **changes: object) -> MemConfig:
    return MemConfig(
        base=BaseConfig(kind=base, scramblings=32, iterations=3, iteration_points=400),
        points=PointsConfig(first=min(points, 500), maximum=points),
        **changes,
    )


class TwoInitialStates:
    """Two toys as the initial states of one process, whose mixture alone is known: p_T = Σ_i m_i p_i, r_i = p_i/p_T.

    The process has `factors` times the cross sections of the toys; the mixture is another one, as in simulated events
    of some θ.
    """

    name, monomials, classes = "two toys", MONOMIALS, ("gg", "qq")
    channels = (Channel((21, 21), ()), Channel((2, -2), ()))

    def __init__(self, dimensions: int, factors: tuple[float, float] = (0.7, 1.6), share: float = 0.8) -> None:
        self.toys = (LinearGaussian(dimensions, seed=1), LinearGaussian(dimensions, seed=2))
        self.factors = factors
        self.log_shares = torch.tensor([share, 1.0 - share], dtype=torch.float64).log()

    def channel_coefficients(self, events: PartonEvents) -> Tensor:
        parts = [factor * toy.coefficients(events) for factor, toy in zip(self.factors, self.toys, strict=True)]
        return torch.stack(parts, dim=1)

    def coefficients(self, events: PartonEvents) -> Tensor:
        return self.channel_coefficients(events).sum(dim=1)

    def log_density(self, x: RecoEvents, momenta: Tensor) -> Tensor:
        return self._logs(x, momenta).logsumexp(dim=-1)

    def log_ratio(self, x: RecoEvents, momenta: Tensor) -> Tensor:
        logs = self._logs(x, momenta)
        return logs - self.log_shares - logs.logsumexp(dim=-1, keepdim=True)

    def truth(self, x: RecoEvents) -> tuple[np.ndarray, np.ndarray]:
        """log P_0 `(N,)` and the ratios `(N, 6)`."""
        densities = []
        for factor, toy in zip(self.factors, self.toys, strict=True):
            log_reference, ratios = toy.truth(x)
            densities.append(factor * np.exp(log_reference)[:, None] * ratios)
        total = sum(densities)
        return np.log(total[:, 0]), total / total[:, :1]

    def _logs(self, x: RecoEvents, momenta: Tensor) -> Tensor:
        return torch.stack([toy.log_density(x, momenta) for toy in self.toys], dim=-1) + self.log_shares
