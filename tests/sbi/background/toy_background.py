"""A background of the Gaussian toy with a known density: x ~ N(−1.5, 1.2), as a store of another process."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from partonic.events.process_info import ProcessInfo
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventWriter
from partonic.polynomial import Monomials
from partonic.sbi.gaussian_toy import GaussianToy

CROSS_SECTION = 2.0
MEAN, WIDTH = -1.5, 1.2


def log_background(x: np.ndarray, toy: GaussianToy) -> np.ndarray:
    """log dσ_b/dσ_sig at θ = 0, whose cross section is 1 pb."""
    density = np.exp(-0.5 * ((x - MEAN) / WIDTH) ** 2) / (WIDTH * np.sqrt(2 * np.pi))
    return np.log(CROSS_SECTION * density / toy.density(x, smeared=True)[:, 0])


def write_background(path: Path, events: int, seed: int, energy: float = 13_000.0) -> np.ndarray:
    """Write events of equal weights, and return x."""
    x = MEAN + WIDTH * np.random.default_rng(seed).normal(size=events)
    process = ProcessInfo("toy_background", ("Z",), (23,), Monomials.constant(), energy)
    weight = np.full(events, CROSS_SECTION / events)
    with EventWriter(path, StoreMetadata.for_process(process, source="toy")) as writer:
        writer.write(
            pa.table(
                {
                    "event_id": pa.array(np.arange(events)),
                    "weight": pa.array(weight),
                    "coefficients": pa.FixedSizeListArray.from_arrays(pa.array(weight), 1),
                    "partons": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(4 * events)), 4),
                    "selected": pa.array(np.ones(events, dtype=bool)),
                    "met_pt": pa.array(np.abs(x).astype(np.float32)),
                    "met_phi": pa.array(np.where(x < 0, np.pi, 0.0).astype(np.float32)),
                }
            )
        )
    return x
