"""The trained model of q(z|x): from reconstructed events to parton-level events with their density.

One class for all configurations of networks (`PosteriorNetwork`): it samples partons, knows their density, and is the
proposal of the matrix element method. The model is a folder of settings and weights; nothing in it is executed. Events
that it cannot be asked about come back with NaN in their rows and the reason in `status`; the others are not touched by
them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ModelError
from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.features.event_status import NOT_FINITE
from partonic.nn.flows.flow import Precision
from partonic.trained.schema_record import SchemaRecord
from partonic.trained.trained_model import TrainedModel
from partonic.unfolding.decay_channel.network import DecayChannelNetwork
from partonic.unfolding.model import UnfoldingModel
from partonic.unfolding.partons import PartonSamples, RegressedPartons
from partonic.unfolding.posterior import PosteriorNetwork
from partonic.unfolding.view import CubeView

__all__ = ["PartonSamples", "RegressedPartons", "Unfolder"]

_CONFIGURATIONS: Mapping[str, type[PosteriorNetwork[Any, Any]]] = {
    "view": UnfoldingModel,
    "channel": DecayChannelNetwork,
}
"""Networks by the key of the record that only they have."""


class Unfolder(TrainedModel[PosteriorNetwork[Any, Any]]):
    """A trained model of q(z|x). It satisfies the `LatentProposal` protocol of the matrix element method."""

    kind = "model of unfolding"

    @property
    def view(self) -> CubeView:
        """Which partons are sampled, and their unit cube."""
        return self.network.view

    @property
    def base_scale(self) -> float:
        """Standard deviation of the Gaussian base of the flow."""
        return self.network.flow.base_scale

    def description(self) -> dict[str, Any]:
        """Return what the networks are built again from."""
        return self.network.description()

    @classmethod
    def _build(cls, record: Mapping[str, Any], schema: SchemaRecord) -> "Unfolder":
        for key, network in _CONFIGURATIONS.items():
            if key in record:
                return cls(network.of_description(record), schema, record.get("training"))
        raise KeyError(" or ".join(_CONFIGURATIONS))

    def status(self, x: RecoEvents) -> tuple[str, ...]:
        """Return for each event ``"ok"`` or why it cannot be unfolded."""
        return self.network.status(x)

    @torch.no_grad()
    def provenance(self, reco: RecoEvents) -> Float[Tensor, "events jets 3"]:
        """Return the probability of each jet to come from H, t_had, t_lep; the rest to 1 is none of them.

        Raises:
            ModelError: if the networks assign no jets.
        """
        network = self._regression("assigns jets")
        status, tokens = self._tokens(reco)
        probabilities = network.jet_probabilities(tokens)
        width = reco.jets.shape[1] - probabilities.shape[1]
        padded = torch.nn.functional.pad(probabilities, (0, 0, 0, max(width, 0)))
        return _spread(padded, status)

    @torch.no_grad()
    def regress(self, reco: RecoEvents) -> RegressedPartons:
        """Return the regressed partons of each event.

        Raises:
            ModelError: if the networks regress no momenta.
        """
        network = self._regression("regresses momenta")
        status, tokens = self._tokens(reco)
        partons = network.regressed(tokens)
        columns = {name: _spread(values, status) for name, values in vars(partons).items() if name != "status"}
        return RegressedPartons(**columns, status=status)

    @torch.no_grad()
    def sample(
        self, reco: RecoEvents, samples: int, generator: torch.Generator, precision: Precision = "float32"
    ) -> PartonSamples:
        """Draw sets of partons for each event.

        Args:
            reco: reconstructed events.
            samples: sets for each event.
            generator: source of all random numbers, on the device of the model.
            precision: of the flow's networks, ``float32`` or ``bfloat16``; the density is that of the samples.
        """
        status, tokens = self._tokens(reco)
        inside, log_density = self.network.sample(self.network.conditions(tokens), samples, generator, precision)
        numbers = self.view.numbers_out(inside, tokens.frame)
        good = (torch.isfinite(log_density) & torch.isfinite(numbers).all(dim=-1)).all(dim=1)
        rows = iter(good.tolist())
        status = tuple((word if next(rows) else NOT_FINITE) if word == OK else word for word in status)
        numbers, log_density = numbers[good], log_density[good]
        events, _ = self.view.partons(numbers.flatten(0, 1))
        return PartonSamples(
            momenta=_spread(events.momenta.reshape(-1, samples, *events.momenta.shape[1:]), status),
            x1=_spread(events.x1.reshape(-1, samples), status),
            x2=_spread(events.x2.reshape(-1, samples), status),
            numbers=_spread(numbers, status),
            log_density=_spread(log_density, status),
            status=status,
        )

    @torch.no_grad()
    def sample_and_log_density(
        self, x: RecoEvents, n: int, generator: torch.Generator
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Draw `n` points of the unit cube for each event, with log q(u|x): the proposal of an integral.

        Points of the flow's tails that would lie beyond the faces of the cube have log q = +inf (see `transport`).
        Events that are not usable take no random numbers.
        """
        flow, kept = self.network.flow.flow, _usable(self.status(x))
        drawn = torch.randn((int(kept.sum()), n, flow.features), generator=generator, device=generator.device)
        noise = torch.full((len(x), n, flow.features), torch.nan)
        noise[kept] = drawn.cpu() * self.base_scale
        numbers, log_slope = self.transport(x, noise)
        return numbers, flow.base_log_prob(noise).double() + log_slope

    @torch.no_grad()
    def transport(
        self, x: RecoEvents, noise: Float[Tensor, "events samples dimensions"], precision: Precision = "float32"
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers of the flow to the unit cube, with log |d(noise)/du|; NaN rows for events not usable.

        Base numbers that lie beyond the faces of the cube have log |d(noise)/du| = +inf: the density of the others is
        exact, and in an integral over the cube these have no weight.
        """
        status, tokens = self._tokens(x)
        inside = noise[_usable(status).to(noise.device)].to(self.device)
        numbers, log_slope = self.network.transport(self.network.conditions(tokens), inside, precision)
        numbers = self.view.numbers_out(numbers, tokens.frame)
        return _spread(numbers, status).to(noise.device), _spread(log_slope, status).to(noise.device)

    @torch.no_grad()
    def log_density(
        self, reco: RecoEvents, numbers: Float[Tensor, "events samples dimensions"]
    ) -> Float[Tensor, "events samples"]:
        """Return log q(u|x) of given numbers (of the laboratory); NaN for events whose status is not ``"ok"``."""
        status, tokens = self._tokens(reco)
        inside = self.view.numbers_in(numbers[_usable(status).to(numbers.device)].to(self.device), tokens.frame)
        samples = numbers.shape[1]
        repeated = self.network.conditions(tokens).map(lambda part: part.repeat_interleave(samples, dim=0))
        log_density = self.network.log_density(inside.flatten(0, 1), repeated)
        return _spread(log_density.reshape(len(tokens), samples), status).to(numbers.device)

    def _tokens(self, reco: RecoEvents) -> tuple[tuple[str, ...], Any]:
        """Return the status of all events, and the features of those that can be used."""
        status = self.status(reco)
        usable = reco.select(_usable(status).to(reco.met.device))
        return status, self.network.tokens(usable).to(self.device)

    def _regression(self, what: str) -> UnfoldingModel:
        if not isinstance(self.network, UnfoldingModel):
            raise ModelError(
                f"this model samples partons of '{self.view.name}' and {what} for none: use a model of the section "
                "`unfolding` (`partonic train`)"
            )
        return self.network


def _usable(status: tuple[str, ...]) -> Tensor:
    """Return which events can be used, `(N,)`."""
    return torch.tensor([word == OK for word in status], dtype=torch.bool)


def _spread(values: Tensor, status: tuple[str, ...]) -> Tensor:
    """Put the rows of good events in their places, NaN elsewhere; on the CPU."""
    spread = torch.full((len(status), *values.shape[1:]), torch.nan, dtype=values.dtype)
    spread[_usable(status)] = values.cpu()
    return spread
