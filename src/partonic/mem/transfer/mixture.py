"""The density of one object as a mixture: what the network says by itself, and an object near each candidate.

    p(pT, η, φ) = w_0 p_0(pT, η, φ) + Σ_c w_c p_c(pT) p_c(η) p_c(φ)

p_0 are splines. Of a candidate c (`partonic.mem.transfer.candidates`) ln pT and η are logistic, cut off where no object
can be, and y = 2 tan(Δφ/2) is logistic; centres are those of the candidate, in pT times a factor. Weights are a softmax
of products of queries (the state of the network before the object) and keys (features of the candidate), like
attention; widths and factor add up from both.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from partonic.mem.transfer.candidates import CANDIDATE_FEATURES, CandidateMomenta
from partonic.nn.linear import linear

__all__ = ["CandidateDensity", "CandidateKeys", "ObjectPlace", "Observed"]

_SHAPES = 4
"""Numbers of the shape of a component: ln of the factor of pT, ln widths of ln pT, η, φ."""

_PENALTIES = 3
"""Terms of a weight that depend on how the pT of the candidate stands to the cut and to the object before."""

_WIDTH_LIMIT = 4.0
_SMALLEST = 1e-6


@dataclass(frozen=True)
class ObjectPlace:
    """Where ln pT and η of one object can be.

    Attributes:
        low: smallest ln(pT/GeV); None if there is no cut.
        high: largest ln(pT/GeV), that of the jet before, `(N,)`; None if there is none.
        eta_max: largest |η|; None if the object has no η.
    """

    low: float | None
    high: Tensor | None
    eta_max: float | None

    def penalties(self, log_pt: Float[Tensor, "events samples candidates"]) -> list[Tensor]:
        """Return how far a candidate lies below the cut, above the object before, and from it."""
        nothing = torch.zeros_like(log_pt)
        below = nothing if self.low is None else (self.low - log_pt).clamp(0.0, 3.0)
        if self.high is None:
            return [below, nothing, nothing]
        above = log_pt - self.high[:, None, None]
        return [below, above.clamp(0.0, 3.0), above.clamp(-3.0, 3.0)]


@dataclass(frozen=True)
class Observed:
    """One object of each event.

    Attributes:
        log_pt: ln(pT/GeV), `(N,)`.
        eta: pseudorapidity.
        cosine, sine: of the azimuth in the frame of the event.
        log_volume: ln |d(ln pT, η)/dt| to the numbers t on the real line, in which densities are given.
    """

    log_pt: Float[Tensor, " events"]
    eta: Float[Tensor, " events"]
    cosine: Float[Tensor, " events"]
    sine: Float[Tensor, " events"]
    log_volume: Float[Tensor, " events"]


class CandidateKeys(nn.Module):
    """Keys and shapes of candidates, whatever object they are asked for."""

    def __init__(self, kinds: int, size: int, hidden: int) -> None:
        """Create the network for so many kinds of candidates and keys of `size` numbers."""
        super().__init__()
        self.size = size
        self.kinds = nn.Embedding(kinds, hidden)
        self.inner = nn.Linear(CANDIDATE_FEATURES, hidden)
        self.outer = nn.Linear(hidden, size + _SHAPES)
        with torch.no_grad():
            self.outer.weight[size:].mul_(0.1)
            self.outer.bias[size:].zero_()

    def forward(self, candidates: CandidateMomenta, kind: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys `(N, S, C, size)` and shapes `(N, S, C, 4)`."""
        hidden = torch.relu(linear(self.inner, candidates.features) + self.kinds(kind))
        keys, shapes = torch.split(linear(self.outer, hidden), [self.size, _SHAPES], dim=-1)
        return keys, shapes


class CandidateDensity(nn.Module):
    """The mixture for one kind of object."""

    def __init__(self, width: int, size: int) -> None:
        """Create it for states of `width` numbers (and the tag) and keys of `size` numbers."""
        super().__init__()
        self.size = size
        self.query = nn.Linear(width + 1, size + 1 + _PENALTIES + _SHAPES)
        with torch.no_grad():
            self.query.weight[size:].mul_(0.1)
            self.query.bias[size:].zero_()
            self.query.bias[size] = 4.0  # begin with the splines alone, nearly
            self.query.bias[size + 1 : size + 3] = -2.0
            self.query.bias[-_SHAPES:] = torch.tensor([-0.2, -1.5, -1.5, -1.5])

    def parameters_of(
        self,
        given: Float[Tensor, "events samples inputs"],
        keys: Float[Tensor, "events samples candidates size"],
        shapes: Float[Tensor, "events samples candidates 4"],
        log_pt: Float[Tensor, "events samples candidates"],
        place: ObjectPlace,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits of the weights of splines `(N, S)` and candidates `(N, S, C)`, and shapes `(N, S, C, 4)`."""
        numbers = linear(self.query, given)
        query, base, slopes, own = torch.split(numbers, [self.size, 1, _PENALTIES, _SHAPES], dim=-1)
        logits = (keys @ query[..., None])[..., 0] * self.size**-0.5
        for slope, penalty in zip(slopes.unbind(dim=-1), place.penalties(log_pt), strict=True):
            logits = logits + slope[..., None] * penalty
        return base[..., 0], logits, shapes + own[:, :, None]

    def log_prob(
        self,
        of_splines: Float[Tensor, "events samples"],
        observed: Observed,
        parameters: tuple[Tensor, Tensor, Tensor],
        candidates: CandidateMomenta,
        place: ObjectPlace,
        *,
        has_phi: bool,
    ) -> Float[Tensor, "events samples"]:
        """Return the log-density of the mixture in the numbers on the real line and φ.

        Args:
            of_splines: log p_0 of the object.
            observed: the object.
            parameters: from `parameters_of`.
            candidates: the first of them, as many as there are parameters.
            place: where the object can be.
            has_phi: False for the object whose azimuth is that of the frame.
        """
        base, logits, shapes = parameters
        log_pt, eta, cosine, sine, log_volume = (values[:, None, None] for values in vars(observed).values())
        log_factor, width_pt, width_eta, width_phi = shapes.unbind(dim=-1)
        high = None if place.high is None else place.high[:, None, None]
        near = logits + _cut_logistic(log_pt, candidates.log_pt + log_factor, _bounded(width_pt), place.low, high)
        if place.eta_max is not None:
            near = near + _cut_logistic(eta, candidates.eta, _bounded(width_eta), -place.eta_max, place.eta_max)
        if has_phi:
            along = candidates.cosine * cosine + candidates.sine * sine
            across = candidates.cosine * sine - candidates.sine * cosine
            y = 2.0 * across / (1.0 + along).clamp(min=_SMALLEST)
            near = near + _logistic(y, _bounded(width_phi)) + torch.log1p(0.25 * y.square())
        together = torch.cat([(base + of_splines)[..., None], near + log_volume], dim=-1)
        return torch.logsumexp(together, dim=-1) - torch.logsumexp(torch.cat([base[..., None], logits], -1), dim=-1)

    def sample(
        self,
        parameters: tuple[Tensor, Tensor, Tensor],
        candidates: CandidateMomenta,
        place: ObjectPlace,
        generator: torch.Generator,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw whether an object comes from a candidate, and what it is then; for one set of partons an event.

        Returns:
            whether it does, ln pT, η (0 if it has none) and φ, `(N,)` each.
        """
        base, logits, shapes = (values[:, 0] for values in parameters)
        shares = torch.softmax(torch.cat([base[:, None], logits], dim=-1), dim=-1)
        drawn = torch.multinomial(shares.to(generator.device), 1, generator=generator)[:, 0].to(shares.device)
        row, event = (drawn - 1).clamp(min=0), torch.arange(len(drawn), device=drawn.device)
        log_factor, *widths = shapes[event, row].unbind(dim=-1)
        width_pt, width_eta, width_phi = (torch.exp(_bounded(width)) for width in widths)
        centre, eta, cosine, sine = (
            values[event, 0, row] for values in (candidates.log_pt, candidates.eta, candidates.cosine, candidates.sine)
        )
        uniform = torch.rand((3, len(base)), generator=generator, device=generator.device).to(centre)
        log_pt = _draw_logistic(uniform[0], centre + log_factor, width_pt, place.low, place.high)
        eta_max = place.eta_max
        found = torch.zeros_like(eta)
        if eta_max is not None:
            found = _draw_logistic(uniform[1], eta, width_eta, -eta_max, eta_max)
        turn = 2.0 * torch.atan(0.5 * torch.logit(uniform[2], eps=_SMALLEST) * width_phi)
        return drawn > 0, log_pt, found, torch.atan2(sine, cosine) + turn


def _bounded(values: Tensor) -> Tensor:
    return _WIDTH_LIMIT * torch.tanh(values / _WIDTH_LIMIT)


def _logistic(distance: Tensor, log_width: Tensor) -> Tensor:
    """Return the log-density of the logistic distribution."""
    scaled = distance * torch.exp(-log_width)
    return -scaled - 2.0 * functional.softplus(-scaled) - log_width


def _cut_logistic(
    values: Tensor, centre: Tensor, log_width: Tensor, low: float | None, high: float | Tensor | None
) -> Tensor:
    """Return the log-density of the logistic distribution between two ends.

    With A and B the ends in units of the width, the content is σ(B) − σ(A) = σ(B) σ(−A) (1 − exp(A − B)).
    """
    log_density, inverse = _logistic(values - centre, log_width), torch.exp(-log_width)
    if low is None:
        return log_density
    log_density = log_density + functional.softplus((low - centre) * inverse)
    if high is None:
        return log_density
    log_density = log_density + functional.softplus((centre - high) * inverse)
    return log_density - torch.log(-torch.expm1(((low - high) * inverse).clamp(max=-_SMALLEST)))


def _draw_logistic(
    uniform: Tensor, centre: Tensor, width: Tensor, low: float | None, high: float | Tensor | None
) -> Tensor:
    """Draw from the logistic distribution between two ends.

    Where they lie above the centre, the small content beyond a value is what is drawn, since the other is 1 but for it.
    """
    uniform, centre, width = uniform.double(), centre.double(), width.double()
    infinite = torch.full_like(centre, torch.inf)
    first = -infinite if low is None else (low - centre) / width
    last = infinite if high is None else (high - centre) / width
    sign = torch.where(first > 0.0, -1.0, 1.0)
    one, other = torch.sigmoid(sign * first), torch.sigmoid(sign * last)
    drawn = centre + sign * width * torch.logit(one + uniform * (other - one))
    drawn = drawn if low is None else drawn.clamp(min=low)
    drawn = drawn if high is None else torch.minimum(drawn, torch.as_tensor(high).to(drawn))
    return drawn.float()
