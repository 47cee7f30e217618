"""The closure: zero where both samples have the same density, and large where something was spoilt."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.surrogate.conftest import PROCESS

from partonic.errors import SchemaError
from partonic.events.batch import RecoEvents
from partonic.events.schema import ProcessInfo
from partonic.pretrained import pretrained_folder
from partonic.rng import torch_generator
from partonic.surrogate.closure import closure_of
from partonic.surrogate.held_out import SimulatedEvents, read_events
from partonic.surrogate.model import DetectorSurrogate
from partonic.surrogate.simulate import accepted_events

INFO = ProcessInfo.of_config(PROCESS)


@pytest.fixture(scope="module")
def surrogate() -> DetectorSurrogate:
    return DetectorSurrogate.load(pretrained_folder("thq") / "mem")


@pytest.fixture(scope="module")
def own_events(surrogate: DetectorSurrogate, drawn_store: Path) -> SimulatedEvents:
    """Events that the surrogate itself drew, eight times of each set of partons, taken for simulated ones."""
    few = read_events([drawn_store], surrogate.layout, (0, 500))
    momenta = few.momenta.repeat(8, 1, 1)
    selected, reco = accepted_events(surrogate, momenta, 13600.0, torch_generator(8, "own"))
    assert reco is not None
    return SimulatedEvents(momenta, selected, np.tile(few.coefficients, (8, 1)), reco)


@pytest.fixture(scope="module")
def closure(surrogate: DetectorSurrogate, own_events: SimulatedEvents) -> dict[str, Any]:
    return closure_of(surrogate, own_events, INFO, 1)


def test_of_its_own_events_is_zero(closure: dict[str, Any]) -> None:
    deviations = [each["deviation"] for each in closure["observables"].values()]
    assert max(deviations) < 4.5
    assert abs(np.mean(deviations)) < 1.5
    fraction = closure["selected_fraction"]
    assert abs(fraction["surrogate"] - fraction["simulated"]) < 4 * fraction["error"]
    area = closure["auc"]
    assert abs(area["value"] - 0.5) < 4 * area["error"] < 0.2
    # Copies of the same partons have the same ratios: of eight, 1 + 7 ε are selected for one that is, and the variance
    # of a mean, which takes events for independent, is too small by that factor.
    copies = 1.0 + 7.0 * fraction["simulated"]
    found = [each["chi2"] for kind in closure["ratios"].values() for each in kind["monomials"].values()]
    assert max(found) < copies * (5 + 4 * np.sqrt(2 * 5))
    assert np.mean(found) < 2.0 * copies * 5


SPOILT: dict[str, tuple[Callable[[RecoEvents], RecoEvents], str]] = {
    "jets harder by a third": (lambda reco: replace(reco, jets=reco.jets * torch.tensor([1.33, 1, 1, 1, 1])), "ht"),
    "all missing momenta alike": (
        lambda reco: replace(reco, met=torch.where(torch.tensor([True, False]), 30.0, reco.met)), "met",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_what_was_spoilt_is_found(name: str, surrogate: DetectorSurrogate, own_events: SimulatedEvents) -> None:
    spoil, observable = SPOILT[name]
    closure = closure_of(surrogate, replace(own_events, reco=spoil(own_events.reco)), INFO, 1)
    assert closure["observables"][observable]["deviation"] > 6.0
    assert closure["observables"]["pt_photons"]["deviation"] < 4.5
    assert closure["auc"]["value"] > 0.5 + 4 * closure["auc"]["error"]


def test_a_wrong_acceptance_is_found(surrogate: DetectorSurrogate, own_events: SimulatedEvents) -> None:
    more = own_events.take(torch.cat([torch.arange(len(own_events)), own_events.selected.nonzero()[:, 0]]))
    fraction = closure_of(surrogate, more, INFO, 1)["selected_fraction"]
    assert fraction["simulated"] - fraction["surrogate"] > 10 * fraction["error"]


def test_histograms_are_shares(closure: dict[str, Any]) -> None:
    for each in closure["observables"].values():
        assert 0.97 < sum(each["simulated"]) <= 1.0 + 1e-9
        assert len(each["edges"]) == len(each["simulated"]) + 1 == len(each["surrogate"]) + 1


def test_too_few_events_are_refused(surrogate: DetectorSurrogate, own_events: SimulatedEvents) -> None:
    with pytest.raises(SchemaError, match="needs 40 selected events in each half"):
        closure_of(surrogate, own_events.take(torch.arange(60)), INFO, 1)
