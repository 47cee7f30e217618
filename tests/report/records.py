"""Results of an inference, made of a few numbers: what a fit of a parabola gives, to be changed by a test."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from partonic.inference.record import InferenceRecord
from partonic.inference.result import CURVES, CurveTable

CAUSES = {"statistical": 0.1, "integration": 0.01, "rate": 0.01, "calibration": 0.02, "training": 0.0}
TOTAL = float(np.sqrt(sum(error**2 for error in CAUSES.values())))


def interval(name: str, level: float, *segments: tuple[float, float], **options: Any) -> dict[str, Any]:
    """Return an interval as in a result."""
    return {"name": name, "level": level, "segments": [list(each) for each in segments], "open_below": False,
            "open_above": False, "kind": "total", **options}  # fmt: skip


def fixed(value: float = 1.0) -> dict[str, Any]:
    return {"value": value, "free": False, **dict.fromkeys([*CAUSES, "total"], 0.0)}


RESULT: dict[str, Any] = {
    "format": 1,
    "source": "mem",
    "parameters": ["kappa_tilde_t", "c_tG"],
    "fitted": ["c_tG"],
    "luminosity": 100.0,
    "shape_only": False,
    "data": {"kind": "pseudo", "truth": {"c_tG": 0.3}, "events": 500.0, "without_coefficients": 0.0,
             "status": {"ok": 500}, "non_positive": 0, "seed": 1},
    "best_fit": {
        "kappa_tilde_t": fixed(0.0),
        "c_tG": {"value": 0.25, "free": True, **CAUSES, "total": TOTAL},
        "signal_strength": fixed(),
        "luminosity_scale": fixed(),
    },
    "valid": True,
    "verified_by_minuit": True,
    "log_likelihood": -1.0,
    "covariance": np.diag([0.0, TOTAL**2, 0.0, 0.0]).tolist(),
    "maxima": [{"values": {"c_tG": 0.25}, "q": 0.0}],
    "intervals": {"c_tG": [interval("c_tG", 0.68, (0.25 - TOTAL, 0.25 + TOTAL)),
                           interval("c_tG", 0.95, (0.25 - 1.96 * TOTAL, 0.25 + 1.96 * TOTAL))]},
    "expected_events": [500.0],
    "rate": {"monomials": ["1", "kappa_tilde_t", "c_tG", "kappa_tilde_t^2", "kappa_tilde_t*c_tG", "c_tG^2"],
             "coefficients": [1.0, 0.0, 0.5, 0.4, 0.0, 0.3]},
    "sum_rule": [],
    "files": {"store": None, "signal": None, "backgrounds": {}},
    "settings": {"levels": [0.68, 0.95], "calibration": "pretrained", "constraints": {}, "backgrounds": {}, "fixed": {},
                 "luminosity_uncertainty": 0.0},
    "versions": {"partonic": "0.1.0"},
    "expected": [],
    "toys": {},
    "coverage": [],
}  # fmt: skip


def record(curves: CurveTable | None = None, **changes: Any) -> InferenceRecord:
    """Return a record; keys with ``__`` reach into mappings, e.g. ``data__events=3``."""
    result = deepcopy(RESULT)
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = result
        for folder in folders:
            place = place[folder]
        place[last] = value
    table = pa.concat_tables([CURVES.empty_table(), *([] if curves is None else curves._tables)])
    return InferenceRecord(Path("result.json"), result, table)
