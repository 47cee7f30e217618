"""Parton views: which partons are sampled, and their map to the unit cube that the flow lives in.

``hard`` is H, t_had, t_lep as the hard process made them: 2 + 5 numbers. ``with_isr`` is the same after initial-state
radiation, with one massless parton that balances their transverse momentum (CMS-DP-2023-85): 2 + 8 numbers. The first
two numbers are mass and rapidity of the whole, the others RAMBO's in the centre-of-mass frame (`PartonCube`), where
the radiation is split off first: H t t̄ then decay in their own rest frame, as in the other view. Which
top decays hadronically is known from the charge of the lepton, so that nothing is lost in this order.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from partonic.config.process import ProcessConfig
from partonic.config.unfolding import View
from partonic.errors import ProcessError
from partonic.events.batch import EventBatch
from partonic.features.decay_channel import DecayChannel
from partonic.features.frame import EventFrame
from partonic.physics.phasespace import PartonCube
from partonic.physics.process import PartonEvents
from partonic.processes.definition import definition_of

__all__ = [
    "HIGGS",
    "RADIATION",
    "TOP_HAD",
    "TOP_LEP",
    "CubeView",
    "DecayChannelView",
    "PartonView",
    "numbers_in",
    "numbers_out",
]

HIGGS, TOP_HAD, TOP_LEP, RADIATION = range(4)
"""Positions of the partons."""

_NAMES = ("H", "t_had", "t_lep", "radiation")
_FINAL_STATE = (25, 6, -6)


@dataclass(frozen=True)
class CubeView(ABC):
    """Partons with a name each, and their map to the unit cube that a flow lives in.

    Attributes:
        name: of the view.
        masses: of the partons, GeV, in the order of the view.
        collider_energy: √S in GeV.
    """

    name: str
    masses: tuple[float, ...]
    collider_energy: float

    @property
    @abstractmethod
    def particles(self) -> tuple[str, ...]:
        """Names of the partons."""

    @property
    def cube(self) -> PartonCube:
        """The unit cube of the partons, perhaps in another order."""
        return PartonCube(self.masses, self.collider_energy)

    @abstractmethod
    def truth(self, batch: EventBatch) -> PartonEvents:
        """Return the true partons of simulated events in the order of the view, float64, laboratory.

        Raises:
            SchemaError: if the events lack these partons.
        """

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Return what the view is built again from, as JSON can hold it."""

    @property
    def dimensions(self) -> int:
        """Number D = 3n − 2 of numbers."""
        return self.cube.dimensions

    @property
    def polar_numbers(self) -> tuple[int, ...]:
        """Indices of the numbers that are (1 + cos θ)/2 of a decay."""
        return self.cube.polar_numbers

    @property
    def azimuth_numbers(self) -> tuple[int, ...]:
        """Indices of the numbers that are φ/2π of a decay: periodic."""
        return self.cube.azimuth_numbers

    def numbers(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map partons to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        return self.cube.numbers(events)

    def partons(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to partons in the laboratory, with log |d(Φ_n, x1, x2)/du|; differentiable."""
        return self.cube.partons(numbers)

    def numbers_in(
        self, numbers: Float[Tensor, "events *samples dimensions"], frame: EventFrame
    ) -> Float[Tensor, "events *samples dimensions"]:
        """Return the numbers, in `frame`, of partons with these numbers in the laboratory; a map of unit Jacobian."""
        return numbers_in(self.cube, numbers, frame)

    def numbers_out(
        self, numbers: Float[Tensor, "events *samples dimensions"], frame: EventFrame
    ) -> Float[Tensor, "events *samples dimensions"]:
        """Return the numbers, in the laboratory, of partons with these numbers in `frame`."""
        return numbers_out(self.cube, numbers, frame)


@dataclass(frozen=True)
class DecayChannelView(CubeView):
    """The partons of the hard process in the order of their decay channel, which names the view.

    Attributes:
        decay_channel: the decay channel.
    """

    decay_channel: DecayChannel

    @classmethod
    def of(cls, decay_channel: DecayChannel, cube: PartonCube) -> "DecayChannelView":
        """Return the view of the partons of a unit cube in a decay channel."""
        return cls(decay_channel.name, cube.masses, cube.collider_energy, decay_channel)

    @property
    def particles(self) -> tuple[str, ...]:
        """Names of the partons."""
        return self.decay_channel.names

    def truth(self, batch: EventBatch) -> PartonEvents:
        """Return the true partons; see `DecayChannel.truth`."""
        return self.decay_channel.truth(batch)

    def record(self) -> dict[str, Any]:
        """Return masses, energy and decay channel; what H is seen as where it is not jets."""
        seen_as = {} if self.decay_channel.higgs == "jets" else {"higgs": self.decay_channel.higgs}
        return {
            "cube": {"masses": list(self.masses), "collider_energy": self.collider_energy},
            "channel": {"name": self.decay_channel.name, "parton_pdg": list(self.decay_channel.parton_pdg), **seen_as},
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "DecayChannelView":
        """Return the view of a record."""
        decay_channel, cube = record["channel"], record["cube"]
        return cls.of(
            DecayChannel(decay_channel["name"], tuple(decay_channel["parton_pdg"]), decay_channel.get("higgs", "jets")),
            PartonCube(tuple(cube["masses"]), cube["collider_energy"]),
        )


@dataclass(frozen=True)
class PartonView(CubeView):
    """The partons of t t̄ H with semileptonic decays, as the hard process made them or after radiation.

    Attributes:
        name: ``"hard"`` or ``"with_isr"``.
        masses: of the partons, GeV, in the order H, t_had, t_lep(, radiation).
        collider_energy: √S in GeV.
    """

    name: View

    @classmethod
    def of(cls, name: View, process: ProcessConfig) -> "PartonView":
        """Return the view of a process with the final state H, t, t̄.

        Raises:
            ProcessError: if the process has another final state.
        """
        final_state = definition_of(process).final_state(process)
        if tuple(particle.pdg_id for particle in final_state) != _FINAL_STATE:
            names = ", ".join(particle.name for particle in final_state)
            raise ProcessError(
                f"the parton views of the unfolding are of H, t, t̄; the process '{process.name}' has {names}"
            )
        masses = tuple(particle.mass for particle in final_state)
        return cls(name, masses if name == "hard" else (*masses, 0.0), process.collider_energy)

    @property
    def particles(self) -> tuple[str, ...]:
        """Names of the partons."""
        return _NAMES[: len(self.masses)]

    @property
    def cube(self) -> PartonCube:
        """The unit cube of the partons in the order in which RAMBO splits them off."""
        return PartonCube(tuple(self.masses[i] for i in self._split_order), self.collider_energy)

    def numbers(self, events: PartonEvents) -> tuple[Float[Tensor, "events dimensions"], Float[Tensor, " events"]]:
        """Map partons to [0, 1]^D, with log |du/d(Φ_n, x1, x2)|."""
        return self.cube.numbers(PartonEvents(events.momenta[:, self._split_order], events.x1, events.x2))

    def partons(self, numbers: Float[Tensor, "events dimensions"]) -> tuple[PartonEvents, Float[Tensor, " events"]]:
        """Map numbers in [0, 1]^D to partons in the laboratory, with log |d(Φ_n, x1, x2)/du|; differentiable."""
        events, log_volume = self.cube.partons(numbers)
        back = sorted(range(len(self.masses)), key=self._split_order.__getitem__)
        return PartonEvents(events.momenta[:, back], events.x1, events.x2), log_volume

    def truth(self, batch: EventBatch) -> PartonEvents:
        """Return the true partons of simulated events in the order of the view, float64, laboratory.

        Raises:
            SchemaError: if the events are not semileptonic t t̄ H, or lack these partons.
        """
        if self.name == "with_isr":
            return batch.partons_with_isr()
        return DecayChannel("semileptonic", _FINAL_STATE).truth(batch)

    def record(self) -> dict[str, Any]:
        """Return name, masses and energy."""
        return {"view": {"name": self.name, "masses": list(self.masses), "collider_energy": self.collider_energy}}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "PartonView":
        """Return the view of a record."""
        view = record["view"]
        return cls(view["name"], tuple(view["masses"]), view["collider_energy"])

    @property
    def _split_order(self) -> list[int]:
        """Partons in the order in which RAMBO splits them off."""
        return [RADIATION, HIGGS, TOP_HAD, TOP_LEP] if len(self.masses) > RADIATION else [HIGGS, TOP_HAD, TOP_LEP]


def numbers_in(
    cube: PartonCube, numbers: Float[Tensor, "events *samples dimensions"], frame: EventFrame
) -> Float[Tensor, "events *samples dimensions"]:
    """Return the numbers, in `frame`, of partons with these numbers in the laboratory; a map of unit Jacobian."""
    return cube.mirrored(cube.turned(numbers, -frame.turns()), frame.mirrored)


def numbers_out(
    cube: PartonCube, numbers: Float[Tensor, "events *samples dimensions"], frame: EventFrame
) -> Float[Tensor, "events *samples dimensions"]:
    """Return the numbers, in the laboratory, of partons with these numbers in `frame`."""
    return cube.turned(cube.mirrored(numbers, frame.mirrored), frame.turns())
