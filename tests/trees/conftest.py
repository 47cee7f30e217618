"""Each test of trees draws from a generator of its own, whichever tests ran before it."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def own_draws(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin the draws of a module's ``RNG`` anew."""
    if hasattr(request.module, "RNG"):
        monkeypatch.setattr(request.module, "RNG", np.random.default_rng(3))
