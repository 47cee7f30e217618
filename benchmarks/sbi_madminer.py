r"""The toy z ~ N(θ, 2), x ~ N(z, 1) with the package MadMiner: ``python benchmarks/sbi_madminer.py [--seed N]``.

The peer of the part `normal` of `benchmarks/sbi_gaussian.py`: the same number of events, the same test, its own
training with its defaults. One network of x and θ for each of its methods learns log p(x|θ)/p(x|θ = 0) from 10,000
events, half of them at θ ~ U(−4, 4), half at 0, with the right joint ratio and score, (z − θ)/4. It needs `pip install
madminer`, which is no extra of this package. Each method is one JSON line; one thread, seconds by the clock.
"""

import argparse
import json
import logging
import sys
import time
import warnings

import numpy as np
import torch

REACH, WIDTH = 4.0, 2.0
METHODS = ("carl", "alice", "rolr", "cascal", "alices", "rascal")


def main() -> None:
    """Train with every method, and print its mean squared error of log r."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=8, help="of its data loader; 8 is its default, 0 for none")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=METHODS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    options = parser.parse_args()
    options.events //= 10 if options.quick else 1
    try:
        from madminer.ml import ParameterizedRatioEstimator
    except ImportError:
        print("MadMiner is not installed: pip install madminer", file=sys.stderr)
        return
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    generator = np.random.default_rng([options.seed, 3])
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)  # noqa: NPY002 (MadMiner draws from the global generator)
    sample = drawn(options.events, generator)
    theta = generator.uniform(-REACH, REACH, 2_000)
    tested = theta + np.hypot(WIDTH, 1.0) * generator.normal(size=len(theta))
    truth = (tested * theta - 0.5 * theta**2) / (WIDTH**2 + 1.0)
    for method in options.methods:
        estimator = ParameterizedRatioEstimator(n_hidden=(64, 64))
        began = time.perf_counter()
        estimator.train(
            method=method, x=sample["x"], y=sample["y"], theta=sample["theta"], r_xz=sample["ratio"],
            t_xz=sample["score"], alpha=0.1, verbose="few", n_workers=options.workers,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        found = estimator.evaluate_log_likelihood_ratio(tested[:, None], theta[:, None], test_all_combinations=False)
        error = (np.asarray(found[0]).reshape(-1) - truth) ** 2
        row = {"mean_squared_error": error.mean(), "its_error": error.std() / np.sqrt(len(error)), "seconds": seconds}
        rounded = {key: float(f"{value:.4g}") for key, value in row.items()}
        print(json.dumps({"toy": "normal", "program": "MadMiner", "method": method, **rounded}), flush=True)


def drawn(count: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Return events at θ (class 0) and at θ = 0 (class 1) with log p(z|θ)/p(z|0) exponentiated, and the score."""
    theta = generator.uniform(-REACH, REACH, count)
    reference = np.arange(count) % 2
    z = np.where(reference == 1, 0.0, theta) + WIDTH * generator.normal(size=count)
    x = z + generator.normal(size=count)
    ratio = np.exp((z * theta - 0.5 * theta**2) / WIDTH**2)
    score = (z - theta) / WIDTH**2
    columns = {"x": x, "y": reference, "theta": theta, "ratio": ratio, "score": score}
    return {name: values[:, None].astype(np.float64) for name, values in columns.items()}


if __name__ == "__main__":
    main()
