"""Classes of initial states, and the cross section by class."""

import numpy as np
import pytest
import torch
from tests.mem.transfer.toys import some_partons

from partonic.errors import ProcessError
from partonic.mem.initial_state.classes import ChannelCrossSection, classes_of, coefficients_by_class, labels_of
from partonic.physics.process import Channel, PartonEvents
from partonic.processes.definition import build_process
from partonic.processes.tth.settings import TthConfig


def test_classes_of_channels() -> None:
    channels = [Channel(initial, ()) for initial in ((2, -2), (21, 21), (-1, 1))]
    assert classes_of(channels) == ("gg", "qq")
    assert classes_of([*channels, Channel((21, 2), ())]) == ("gg", "qg", "qq")


def test_labels() -> None:
    initial = np.array([[21, 21], [21, 2], [-1, 21], [2, -2], [-4, 4]])
    assert labels_of(initial, ("gg", "qg", "qq")).tolist() == [0, 1, 1, 2, 2]
    assert labels_of(initial, ("gg", "qq")).tolist() == [0, -1, -1, 1, 1]
    assert labels_of(np.array([[22, 22], [0, 0], [21, 22]]), ("gg", "qg", "qq")).tolist() == [-1, -1, -1]
    with pytest.raises(ProcessError, match=r"gluons and quarks in the initial state, got the PDG ids \(22, 22\)"):
        classes_of([Channel((22, 22), ())])


def test_classes_add_up_to_the_cross_section() -> None:
    """The coefficients of ttH by class: their sum is that of all channels, gluons alone are the first channel."""
    process = build_process(TthConfig())
    assert isinstance(process, ChannelCrossSection)
    classes = classes_of(process.channels)
    assert classes == ("gg", "qq")
    momenta = some_partons(20)
    total = momenta.sum(dim=1)
    plus, minus = ((total[:, 0] + sign * total[:, 3]) / process.collider_energy for sign in (1.0, -1.0))
    events = PartonEvents(momenta, plus, minus)
    by_class = coefficients_by_class(process, events, classes)
    assert by_class.shape == (20, 2, len(process.monomials))
    torch.testing.assert_close(by_class.sum(dim=1), process.coefficients(events))
    gluons = [channel.initial for channel in process.channels].index((21, 21))
    torch.testing.assert_close(by_class[:, 0], process.channel_coefficients(events)[:, gluons])
