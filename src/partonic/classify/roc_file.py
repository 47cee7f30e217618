"""The file of ROC curves: how well several numbers of an event separate signal from background, on the same events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from partonic.classify.roc import RocCurve
from partonic.errors import EventFileError, ParameterError, SchemaError
from partonic.estimate import Estimate
from partonic.files import write_json

__all__ = ["Discrimination", "read_discrimination", "write_discrimination"]

_FORMAT = 1


@dataclass(frozen=True)
class Discrimination:
    """Curves of one signal against one background.

    Attributes:
        signal, background: names of the processes.
        events: numbers of events of signal and background.
        curves: one for each number of an event.
        facts: further numbers, e.g. of the training of a classifier, JSON-like.
    """

    signal: str
    background: str
    events: tuple[int, int]
    curves: tuple[RocCurve, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.curves:
            msg = "a file of ROC curves needs one curve or more"
            raise ParameterError(msg)


def write_discrimination(path: Path, discrimination: Discrimination) -> None:
    """Write the curves, whole or not at all.

    Raises:
        OutputError: if the file cannot be written.
    """
    content = {
        "format": _FORMAT,
        "signal": discrimination.signal,
        "background": discrimination.background,
        "events": list(discrimination.events),
        "curves": [curve.to_json() for curve in discrimination.curves],
        "facts": dict(discrimination.facts),
    }
    write_json(path, content)


def read_discrimination(path: Path) -> Discrimination:
    """Read the curves.

    Raises:
        EventFileError: if the file is missing or damaged.
        SchemaError: if it holds no such curves, or is of another format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EventFileError(f"cannot read the ROC curves {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise EventFileError(f"{path} is damaged: {error}; make the ROC curves again") from error
    try:
        if content["format"] != _FORMAT:
            raise SchemaError(f"{path} has format {content['format']}, but this partonic reads format {_FORMAT}")
        signal_events, background_events = content["events"]
        curves = tuple(_curve(each) for each in content["curves"])
        return Discrimination(
            content["signal"], content["background"], (signal_events, background_events), curves, content["facts"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"{path} is no file of ROC curves ({error!r}): make the curves again") from error


def _curve(content: Mapping[str, Any]) -> RocCurve:
    signal, background = (
        np.array(content[name], dtype=np.float64) for name in ("signal_efficiency", "background_efficiency")
    )
    if signal.ndim != 1 or signal.shape != background.shape:
        raise ValueError(f"efficiencies of shapes {signal.shape} and {background.shape}, expected two equal lengths")
    return RocCurve(
        content["name"],
        signal,
        background,
        Estimate.from_json(content["auc"]),
        content["unusable_signal"],
        content["unusable_background"],
    )
