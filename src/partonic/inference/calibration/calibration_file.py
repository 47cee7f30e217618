"""The file of a calibration: JSON, of all ratios together or of each alone."""

import json
from pathlib import Path

from partonic.errors import EventFileError
from partonic.files import write_json
from partonic.inference.calibration.each_ratio import LINEAR_FORMAT, RatioCalibration
from partonic.inference.calibration.joint_calibration import JointCalibration
from partonic.inference.calibration.scaled_ratios import SCALED_FORMAT, ScaledRatios

__all__ = ["Calibration", "read_calibration", "write_calibration"]

Calibration = RatioCalibration | JointCalibration | ScaledRatios
"""Any kind: all have `apply`."""


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration.

    Raises:
        OutputError: if it cannot be written.
    """
    write_json(path, calibration.to_json())


def read_calibration(path: Path) -> Calibration:
    """Read a calibration that `write_calibration` wrote.

    Raises:
        EventFileError: if the file is missing or no calibration.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] == LINEAR_FORMAT:
            return RatioCalibration.from_json(content)
        if content["format"] == SCALED_FORMAT:
            return ScaledRatios.from_json(content)
        return JointCalibration.from_json(content)
    except OSError as error:
        raise EventFileError(f"cannot read the calibration {path}: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise EventFileError(
            f"{path} is no calibration of coefficients ({error}): expected a file written by `partonic calibrate`"
        ) from error
