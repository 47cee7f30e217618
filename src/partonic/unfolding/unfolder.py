"""Unfolding with a trained model: from reconstructed events to parton-level events with their density.

The model is a folder of settings and weights; nothing in it is executed. Events that it cannot be asked about (see
`event_status`) come back with NaN in their rows and the reason in `status`; the others are not touched by them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from partonic.event_status import OK
from partonic.events.batch import RecoEvents
from partonic.features.event_status import NOT_FINITE, event_status, is_usable
from partonic.features.inputs import EventTokens, event_tokens
from partonic.nn.flows.flow import Precision
from partonic.physics.fourvector import on_shell
from partonic.trained.schema_record import SchemaRecord
from partonic.trained.trained_model import TrainedModel
from partonic.unfolding.conditioner import Conditions
from partonic.unfolding.model import NetworkSizes, UnfoldingModel
from partonic.unfolding.partons import PartonSamples, RegressedPartons
from partonic.unfolding.view import PartonView

__all__ = ["PartonSamples", "RegressedPartons", "Unfolder"]


class Unfolder(TrainedModel[UnfoldingModel]):
    """A trained model of one view. It satisfies the `Proposal` protocol of the matrix element method."""

    kind = "unfolding model"

    @property
    def view(self) -> PartonView:
        """Which partons are sampled, and their unit cube."""
        return self.network.view

    def description(self) -> dict[str, Any]:
        """Return the sizes of the networks, and the view."""
        view = self.view
        facts = {"name": view.name, "masses": list(view.masses), "collider_energy": view.collider_energy}
        return {"networks": self.network.sizes.record(), "view": facts}

    @classmethod
    def _build(cls, record: Mapping[str, Any], schema: SchemaRecord) -> "Unfolder":
        view = record["view"]
        parton_view = PartonView(view["name"], tuple(view["masses"]), view["collider_energy"])
        network = UnfoldingModel(NetworkSizes.of_record(record["networks"]), parton_view)
        return cls(network, schema, record.get("training"))

    @torch.no_grad()
    def provenance(self, reco: RecoEvents) -> Float[Tensor, "events jets 3"]:
        """Return the probability of each jet to come from H, t_had, t_lep; the rest to 1 is none of them."""
        status, tokens = self._tokens(reco)
        probabilities = self.network.jet_probabilities(tokens)
        width = reco.jets.shape[1] - probabilities.shape[1]
        padded = torch.nn.functional.pad(probabilities, (0, 0, 0, max(width, 0)))
        return _spread(padded, status)

    @torch.no_grad()
    def regress(self, reco: RecoEvents) -> RegressedPartons:
        """Return the regressed partons of each event."""
        status, tokens = self._tokens(reco)
        conditions = self.network.conditions(tokens)
        momenta = tokens.frame.momenta_out(self._regressed_momenta(conditions))
        p_z = conditions.p_z.double() * tokens.frame.sign().double()
        if len(self.view.masses) > 3:
            momenta = torch.cat([momenta, _balance(momenta, p_z)[:, None]], dim=1)
        total = momenta.sum(dim=1)
        energy = (total[:, 0].square() - total[:, 3].square() + p_z.square()).sqrt()
        x1, x2 = ((energy + sign * p_z) / self.view.collider_energy for sign in (1.0, -1.0))
        return RegressedPartons(
            momenta=_spread(momenta, status),
            x1=_spread(x1, status),
            x2=_spread(x2, status),
            p_z=_spread(p_z, status),
            status=status,
        )

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
        numbers, log_density = self._draw(tokens, samples, generator, precision)
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
        """
        flow, kept = self.network.flow.flow, is_usable(x)
        drawn = torch.randn((int(kept.sum()), n, flow.features), generator=generator, device=generator.device)
        noise = torch.full((len(x), n, flow.features), torch.nan)
        noise[kept] = drawn.cpu() * self.base_scale
        numbers, log_slope = self.transport(x, noise)
        return numbers, flow.base_log_prob(noise).double() + log_slope

    @property
    def base_scale(self) -> float:
        """Standard deviation of the Gaussian base of the flow."""
        return self.network.flow.flow.config.base_scale

    def status(self, x: RecoEvents) -> tuple[str, ...]:
        """Return for each event ``"ok"`` or why it cannot be unfolded."""
        return event_status(x)

    @torch.no_grad()
    def transport(
        self, x: RecoEvents, noise: Float[Tensor, "events samples dimensions"], precision: Precision = "float32"
    ) -> tuple[Float[Tensor, "events samples dimensions"], Float[Tensor, "events samples"]]:
        """Map base numbers of the flow to the unit cube, with log |d(noise)/du|; NaN rows for events not usable.

        Base numbers that lie beyond the faces of the cube have log |d(noise)/du| = +inf: the density of the others is
        exact, and in an integral over the cube these have no weight.
        """
        status, tokens = self._tokens(x)
        kept = torch.tensor([word == OK for word in status], dtype=torch.bool)
        inside = noise[kept.to(noise.device)].to(self.device, torch.float32)
        conditions = self.network.conditions(tokens)
        numbers, log_slope = self.network.flow.transport(conditions.numbers, conditions.latent, inside, precision)
        numbers = self.view.numbers_out(numbers, tokens.frame)
        return _spread(numbers, status).to(noise.device), _spread(log_slope, status).to(noise.device)

    @torch.no_grad()
    def log_density(
        self, reco: RecoEvents, numbers: Float[Tensor, "events samples dimensions"]
    ) -> Float[Tensor, "events samples"]:
        """Return log q(u|x) of given numbers (of the laboratory); NaN for events whose status is not ``"ok"``."""
        status, tokens = self._tokens(reco)
        kept = torch.tensor([word == OK for word in status])
        inside = self.view.numbers_in(numbers[kept].to(self.device), tokens.frame)
        conditions = self.network.conditions(tokens)
        samples = numbers.shape[1]
        log_density = self.network.flow.log_density(
            inside.flatten(0, 1),
            conditions.numbers.repeat_interleave(samples, dim=0),
            conditions.latent.repeat_interleave(samples, dim=0),
        )
        return _spread(log_density.reshape(len(tokens), samples), status)

    def _draw(
        self, tokens: EventTokens, samples: int, generator: torch.Generator, precision: Precision
    ) -> tuple[Tensor, Tensor]:
        conditions = self.network.conditions(tokens)
        inside, log_density = self.network.flow.sample(
            conditions.numbers, conditions.latent, samples, generator, precision
        )
        return self.view.numbers_out(inside, tokens.frame), log_density

    def _tokens(self, reco: RecoEvents) -> tuple[tuple[str, ...], EventTokens]:
        """Return the status of all events, and the features of those that can be used."""
        status = event_status(reco)
        kept = torch.tensor([word == OK for word in status], dtype=torch.bool)
        tokens = event_tokens(reco.select(kept), self.network.sizes.conditioner.max_jets)
        return status, tokens.trimmed().to(self.device)

    def _regressed_momenta(self, conditions: Conditions) -> Tensor:
        """Return the three particles on shell, with calibrated pT, in the canonical frame."""
        pt = self.network.calibration(conditions.particles[..., 0].double())
        eta, phi = conditions.particles[..., 1].double(), conditions.particles[..., 2].double()
        three = torch.stack([pt * torch.cos(phi), pt * torch.sin(phi), pt * torch.sinh(eta)], dim=-1)
        return on_shell(three, three.new_tensor(self.view.masses[:3]))


def _balance(momenta: Tensor, p_z: Tensor) -> Tensor:
    """Return the massless parton that balances the transverse momenta and completes p_z, `(N, 4)`."""
    total = momenta.sum(dim=1)
    three = torch.stack([-total[:, 1], -total[:, 2], p_z - total[:, 3]], dim=-1)
    return on_shell(three, 0.0)


def _spread(values: Tensor, status: tuple[str, ...]) -> Tensor:
    """Put the rows of good events in their places, NaN elsewhere; on the CPU."""
    spread = torch.full((len(status), *values.shape[1:]), torch.nan, dtype=values.dtype)
    spread[torch.tensor([word == OK for word in status], dtype=torch.bool)] = values.cpu()
    return spread
