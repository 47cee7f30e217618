"""Evaluates a model on the selected events of a store, in one pass, batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.event_status import OK
from partonic.events.batch import EventBatch, RecoEvents
from partonic.events.store import EventStore
from partonic.features.event_status import is_usable
from partonic.features.inputs import sum_of_objects
from partonic.physics.kinematics import to_pt_eta_phi_m
from partonic.progress import SILENT, Progress
from partonic.rng import torch_generator
from partonic.unfolding.data import COLUMNS
from partonic.unfolding.momentum_balance import regressed_numbers
from partonic.unfolding.partons import PartonSamples, RegressedPartons
from partonic.unfolding.quality.accumulator import QualityAccumulator
from partonic.unfolding.quality.classifier import ClassifierSettings
from partonic.unfolding.quality.events import EvaluatedEvents, PartonDensity
from partonic.unfolding.quality.result import UnfoldingQuality
from partonic.unfolding.quality.single_event import SingleEvent, single_event
from partonic.unfolding.view import CubeView

__all__ = ["EvaluationSettings", "Unfolding", "evaluate_unfolding"]

Precision = Literal["float32", "bfloat16"]


@runtime_checkable
class Unfolding(Protocol):
    """What is evaluated: an `Unfolder`, or anything of the same shape."""

    @property
    def view(self) -> CubeView:
        """Which partons."""

    def regress(self, reco: RecoEvents) -> RegressedPartons:
        """Return the regressed partons."""

    def sample(
        self, reco: RecoEvents, samples: int, generator: torch.Generator, precision: Precision = "float32"
    ) -> PartonSamples:
        """Draw sets of partons."""

    def log_density(
        self, reco: RecoEvents, numbers: Float[Tensor, "events samples dimensions"]
    ) -> Float[Tensor, "events samples"]:
        """Return log q of given numbers."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How much is evaluated.

    Attributes:
        events: selected events at most.
        samples: of each event.
        batch_events: events in memory at a time.
        single_events: events that are looked at one by one.
        single_samples: samples of each of those.
        precision: of the flow's networks.
        classifier: the two-sample test; None for its defaults.
    """

    events: int = 50_000
    samples: int = 100
    batch_events: int = 500
    single_events: int = 6
    single_samples: int = 20_000
    precision: Precision = "float32"
    classifier: ClassifierSettings | None = None


def evaluate_unfolding(
    unfolder: Unfolding,
    store: EventStore,
    settings: EvaluationSettings,
    seed: int,
    progress: Progress = SILENT,
) -> UnfoldingQuality:
    """Return the quality of a model on simulated events that it was not trained on.

    Args:
        unfolder: the model.
        store: the events, with their true partons.
        settings: how much is evaluated.
        seed: root seed of samples and tests.
        progress: told of the events.

    Raises:
        SchemaError: if the events lack the partons of the view.
        EventFileError: if too few events can be used.
        NonFiniteError: if the model gives the truth of an event a density that is not finite.
    """
    generator = torch_generator(seed, "quality", unfolder.view.name)
    accumulator = QualityAccumulator(unfolder.view.name, unfolder.view.azimuth_numbers, generator)
    progress.start(f"evaluating the unfolding ({unfolder.view.name})", settings.events, "events")
    for number, batch in enumerate(_batches(store, settings)):
        usable, evaluated = _evaluated(unfolder, batch, settings, generator)
        accumulator.unusable += len(batch) - len(usable)
        accumulator.fill(evaluated)
        if number == 0:
            accumulator.single_events += _single_events(unfolder, usable, settings, generator)
        progress.advance(len(batch))
    progress.finish()
    return accumulator.result(settings.classifier)


def _batches(store: EventStore, settings: EvaluationSettings) -> Iterator[EventBatch]:
    left = settings.events
    for batch in store.batches(columns=COLUMNS, size=settings.batch_events, selected_only=True):
        if left <= 0:
            return
        yield batch if len(batch) <= left else batch.filter(np.arange(len(batch)) < left)
        left -= len(batch)


def _evaluated(
    unfolder: Unfolding, batch: EventBatch, settings: EvaluationSettings, generator: torch.Generator
) -> tuple[EventBatch, EvaluatedEvents]:
    """Return the events of the batch that the model can use, and what it says of them."""
    usable = batch.filter(is_usable(batch.reco()).numpy())
    drawn = unfolder.sample(usable.reco(), settings.samples, generator, settings.precision)
    good = np.array([word == OK for word in drawn.status], dtype=np.bool_)
    kept = usable.filter(good)
    reco, truth = kept.reco(), unfolder.view.truth(kept)
    numbers, _ = unfolder.view.numbers(truth)
    regressed = unfolder.regress(reco)
    mask = torch.from_numpy(good)
    return kept, EvaluatedEvents(
        multiplicity=reco.jet_mask.sum(dim=1),
        summary=_summary(reco),
        sum_p_z=sum_of_objects(reco)[:, 3],
        regressed=regressed.momenta,
        regressed_p_z=regressed.p_z,
        regressed_numbers=_regressed_numbers(unfolder.view, regressed),
        truth=PartonDensity(truth.momenta, numbers, unfolder.log_density(reco, numbers[:, None])[:, 0]),
        samples=PartonDensity(drawn.momenta[mask], drawn.numbers[mask], drawn.log_density[mask]),
    )


def _regressed_numbers(view: CubeView, regressed: RegressedPartons) -> Tensor:
    particles = to_pt_eta_phi_m(regressed.momenta[:, :3])[..., :3]
    return regressed_numbers(view, particles, regressed.p_z)


def _summary(reco: RecoEvents) -> Float[Tensor, "events 6"]:
    """Return numbers of jets and tags, Σ pT, pT of the lepton, missing pT (as logarithms) and p_z of all objects."""
    columns = (
        reco.jet_mask.sum(dim=1),
        (reco.jet_tagged & reco.jet_mask).sum(dim=1),
        torch.log1p((reco.jets[..., 0] * reco.jet_mask).sum(dim=1)),
        torch.log1p(reco.leptons[:, 0, 0]),
        torch.log1p(reco.met[:, 0]),
        sum_of_objects(reco)[:, 3],
    )
    return torch.stack([column.double() for column in columns], dim=1)


def _single_events(
    unfolder: Unfolding, batch: EventBatch, settings: EvaluationSettings, generator: torch.Generator
) -> Iterator[SingleEvent]:
    """Yield events of different numbers of jets, with many samples."""
    jets = batch.reco().jet_mask.sum(dim=1)
    for row in _different(jets.tolist(), settings.single_events):
        event = batch.filter(np.arange(len(batch)) == row)
        reco = event.reco()
        drawn = unfolder.sample(reco, settings.single_samples, generator, settings.precision)
        if drawn.status[0] == OK:
            facts = (int(event.column("event_id")[0]), int(jets[row]))
            truth, regressed = unfolder.view.truth(event).momenta[0], unfolder.regress(reco).momenta[0]
            yield single_event(facts, truth, regressed, drawn.momenta[0])


def _different(jets: list[int], number: int) -> list[int]:
    """Return `number` rows: by turns one of each number of jets, few jets first."""
    by_jets = {count: [row for row, found in enumerate(jets) if found == count] for count in sorted(set(jets))}
    rounds = max(map(len, by_jets.values()), default=0)
    ordered = [rows[turn] for turn in range(rounds) for rows in by_jets.values() if turn < len(rows)]
    return ordered[:number]
