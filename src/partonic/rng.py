"""Random generators spawned from one recorded root seed.

Every random draw in `partonic` comes from a generator that the caller hands in. A long computation is cut into
named pieces; each piece spawns its own generator from the root seed and its name, so the result does not depend
on the order, on the number of workers, or on interruptions.
"""

import hashlib

import numpy as np
import torch

__all__ = ["PYTHIA_SEED_MAX", "numpy_generator", "pythia_seed", "seed_sequence", "torch_generator"]

PYTHIA_SEED_MAX = 900_000_000
"""Largest seed that Pythia 8 accepts (`Random:seed`, Pythia 8 manual)."""


def seed_sequence(seed: int, *key: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of one named piece of a computation.

    Args:
        seed: root seed of the analysis, non-negative.
        key: names and numbers of the piece, e.g. ``("simulate", 17)``; another key gives an independent stream.

    Raises:
        ValueError: if `seed` is negative.
    """
    if seed < 0:
        raise ValueError(f"the root seed must be non-negative, got {seed}")
    digest = hashlib.sha256("\x1f".join(f"{type(part).__name__}:{part}" for part in key).encode()).digest()
    words = np.frombuffer(digest, dtype=np.uint32)
    return np.random.SeedSequence(entropy=seed, spawn_key=tuple(int(word) for word in words))


def numpy_generator(seed: int, *key: str | int) -> np.random.Generator:
    """Return a NumPy generator for the piece `key` of the computation with root seed `seed`."""
    return np.random.default_rng(seed_sequence(seed, *key))


def torch_generator(seed: int, *key: str | int, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a torch generator for the piece `key` of the computation with root seed `seed`."""
    state = int(seed_sequence(seed, *key).generate_state(1, dtype=np.uint64)[0])
    generator = torch.Generator(device=device)
    generator.manual_seed(state % (1 << 63))
    return generator


def pythia_seed(seed: int, *key: str | int) -> int:
    """Return a seed that Pythia accepts, between 1 and `PYTHIA_SEED_MAX`, for the piece `key`."""
    state = int(seed_sequence(seed, *key).generate_state(1, dtype=np.uint64)[0])
    return 1 + state % PYTHIA_SEED_MAX
