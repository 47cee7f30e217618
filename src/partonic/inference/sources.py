"""Whether the coefficients that a fit reads were made by the estimator that its settings name.

Densities of different estimators are in different units of x, and their ratios have different errors: one taken for
another would give limits that look right and are wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partonic.config.inference import BackgroundEventsConfig, InferenceConfig
from partonic.errors import InferenceError
from partonic.estimator_registry import is_estimator
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata, read_coefficients
from partonic.inference.coefficients.event_coefficients import EventCoefficients

__all__ = ["EstimatorFiles", "check_source", "read_hypotheses", "read_of_source", "settings_for"]


@dataclass(frozen=True)
class EstimatorFiles:
    """What an estimator left.

    Attributes:
        coefficients: of the events under the signal.
        calibration: of the coefficients, as they would be fitted; None for none.
        members: ratios of each member of an ensemble (`partonic.inference.coefficients.members_file`); None without.
    """

    coefficients: Path
    calibration: Path | None = None
    members: Path | None = None


def read_of_source(path: Path, expected: str, key: str) -> tuple[EventCoefficients, CoefficientsMetadata]:
    """Read a file of coefficients that an estimator made.

    Args:
        path: the file.
        expected: name of the estimator, `inference.source`.
        key: of the settings that names the file, for messages.

    Raises:
        EventFileError: if the file is missing or damaged.
        InferenceError: if it says that another estimator made it.
    """
    coefficients, metadata = read_coefficients(path)
    check_source(metadata.source, expected, str(path), key)
    return coefficients, metadata


def check_source(found: str, expected: str, where: str, key: str) -> None:
    """Check that coefficients were made by the estimator that the settings name.

    Args:
        found: who made them, as they say themselves.
        expected: `inference.source`.
        where: their file, for messages.
        key: of the settings that names it, for messages.

    Raises:
        InferenceError: if they were made by another one.
    """
    if found != expected:
        raise InferenceError(
            f"`inference.source` is '{expected}', but {where} says that '{found}' made it: set "
            f"`inference.source: {found}`, or name in `{key}` a file that '{expected}' made"
        )


def read_hypotheses(
    events: BackgroundEventsConfig, config: InferenceConfig, where: str
) -> dict[str, EventCoefficients]:
    """Read the coefficients of simulated events under each hypothesis, by name.

    Args:
        events: the files.
        config: which hypotheses there are, and who made their coefficients.
        where: key of `events`, for messages.

    Raises:
        EventFileError: if a file is missing or damaged.
        InferenceError: if a hypothesis has no file, or another estimator made one.
    """
    names = ("signal", *config.components, *config.backgrounds)
    if missing := set(names) - set(events.coefficients):
        raise InferenceError(
            f"`{where}.coefficients` lacks {', '.join(sorted(missing))}: expected a file for `signal` and for each "
            "component and background"
        )
    keys = {name: f"{where}.coefficients.{name}" for name in names}
    return {name: read_of_source(events.coefficients[name], config.source, keys[name])[0] for name in names}


def settings_for(source: str, settings: Mapping[str, Any]) -> InferenceConfig:
    """Return the settings of a fit of coefficients that are there, whose `source` follows from them if it is not named.

    Args:
        source: who made the coefficients, as they say themselves. It need not be an estimator that is installed here.
        settings: keys of the section `inference`.

    Raises:
        ValidationError: of pydantic, if a setting is unknown or not valid.
    """
    if "source" in settings or is_estimator(source):
        return InferenceConfig.model_validate({"source": source, **settings})
    return InferenceConfig.model_validate(dict(settings)).model_copy(update={"source": source})
