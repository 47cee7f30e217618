r"""Learned likelihood ratios where the true ones are known: ``python benchmarks/sbi_gaussian.py [part] [--quick]``.

Without a name all parts run; each row of the table is one JSON line.

- `near`, `far`: the toy of arXiv:2410.07315, section 3.1, with α = 1.5 and 3: derivative learning on 3·10⁵ events at
  θ = 0 against morphing on 10⁵ events at each of θ = −1, 0, 1, with one loss a basis point and with one joint loss
  (prior N(0, 1)), and networks that take θ. Tested on events at θ = 0.6: mean squared error of log r(x|0.6, 0), the
  mean of log r against the true one, and the shares of events whose true log r is within one and two deviations of the
  members.
- `tail`: section 3.2, α = 4 with 10⁵ events at θ = 0, with and without fractional smearing, T = 0.5: mean squared error
  of log R_θ²(x) at 4 < x < 7, and expected log r at θ = 0.6. About six parton events decide there; a share of the
  events for validation has none of them and would choose the weights that know least of the tail, so all events
  validate.
- `bands`: the first toy again, with α = 1.5 and 3: how much of the truth is within the bands of 68% and 95% that the
  error of the ratios gives: scatter of four members, of four members on bootstrap samples, and Laplace of the last
  layer of one network and of four; and SALLY, whose error is that of its bins. The bands of scatters are of Student's t
  with as many degrees of freedom, the others Gaussian.
- `normal`: the toy z ~ N(θ, 2), x ~ N(z, 1) of the MadMiner package, whose p(z|θ) is no polynomial: 10,000 events,
  log p(x|θ)/p(x|θ = 0) of networks that take θ, for θ in (−4, 4), and with the score. Tested on 2,000 pairs of θ from
  that range and x ~ p(x|θ).

All on one thread; seconds are those of the processor in the training.
"""

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student
from torch import Tensor

from partonic.config.sbi import SbiConfig
from partonic.config.simulation import FractionalSmearingConfig
from partonic.inference.coefficients.rate import FiducialRate
from partonic.nn.training import PhaseSettings, TensorTable, run_phase, seeded_weights
from partonic.sbi.conditional import ConditionalRatio, Projection
from partonic.sbi.data import SimulatedEvents
from partonic.sbi.ensemble_mlp import EnsembleMLP
from partonic.sbi.expansion import Expansion
from partonic.sbi.gaussian_toy import FEATURE, GaussianToy, ToyEvents
from partonic.sbi.model import SbiModel
from partonic.sbi.phase import MethodPhase
from partonic.sbi.split import Parts, parts_of
from partonic.sbi.theta_draws import ThetaDraws
from partonic.sbi.train import TrainingEvents, train_on_events
from partonic.simulation.fractional_smearing import SmearingTargets, copies_of

Array = NDArray[np.float64]
SPREAD = (-1.0, 0.0, 1.0)
TESTED_AT = 0.6
NEXT = [{"theta": -1.0}, {"theta": 1.0}]
TREES = {"trees": 300, "max_depth": 2, "learning_rate": 0.1, "min_leaf_events": 200, "patience": 20}
PRECISE = {"derivatives": {"weighting": "precision"}}
METHODS: dict[str, tuple[tuple[float, ...], dict[str, Any]]] = {
    "derivatives at 0": ((0.0,), {}),
    "derivatives, events at -1, 0, 1": (SPREAD, {}),
    "precise derivatives at 0": ((0.0,), PRECISE),
    "precise derivatives, events at -1, 0, 1": (SPREAD, PRECISE),
    "trees at 0": ((0.0,), {"method": "trees", "trees": TREES}),
    "trees, events at -1, 0, 1": (SPREAD, {"method": "trees", "trees": TREES}),
    "morphing": (SPREAD, {"method": "morphing", "morphing": {"points": NEXT}}),
    "morphing, joint loss": (SPREAD, {"method": "morphing", "morphing": {"points": NEXT, "joint": True}}),
    "sally at 0.5": (SPREAD, {"method": "sally", "reference": [{"theta": 0.5}]}),
    "alice": (SPREAD, {"method": "alice"}),
    "alices": (SPREAD, {"method": "alices"}),
    "rascal": (SPREAD, {"method": "rascal"}),
}


def main() -> None:
    """Run one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("part", nargs="?", choices=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the events")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), help="of `near` and `far` [default: all]")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, part in PARTS.items():
        if options.part in (None, name):
            part(options.quick, options.seed, options.methods or tuple(METHODS))


def ratios_of_mixture(distance: float, quick: bool, seed: int, methods: Sequence[str]) -> None:
    """Print a line for each method on the toy with this α."""
    toy = GaussianToy(distance)
    test = toy.draw(50_000, [TESTED_AT], np.random.default_rng([seed, 9])).observed
    truth = log_ratio(toy.ratios(test)[None], toy)[0]
    for name in methods:
        points, settings = METHODS[name]
        events = toy.draw(30_000 if quick else 300_000, points, np.random.default_rng([seed, len(points)]))
        model, seconds = trained(toy, events, np.arange(len(events.parton)), points, seed, settings)
        members = log_ratio(learned(model, toy, test), toy)
        mean = log_ratio(learned(model, toy, test).mean(axis=0)[None], toy)[0]
        away = np.abs(mean - truth) / np.maximum(members.std(axis=0, ddof=1), 1e-9)
        show(
            toy=f"mixture, alpha = {distance:g}", method=name, seed=seed,
            mean_squared_error=np.mean((mean - truth) ** 2), mean_log_ratio=mean.mean(), true_mean=truth.mean(),
            within_one=(away < 1).mean(),
            within_two=(away < 2).mean(), seconds=seconds,
        )  # fmt: skip


def bands(quick: bool, seed: int, methods: Sequence[str]) -> None:
    """Print a line for each α, method and way to get an error."""
    four = {"hidden": [32, 32], "members": 4}
    ways: dict[str, tuple[dict[str, Any], int | None]] = {
        "ensemble": (four, 3),
        "bootstrap": ({**four, "bootstrap": True}, 3),
        "laplace": ({"hidden": [32, 32], "members": 1, "error": "laplace"}, None),
        "laplace of four": ({**four, "error": "laplace"}, None),
    }
    cases = [(name, way) for name in ("derivatives at 0", "morphing") for way in ways] + [("sally at 0.5", "bins")]
    for distance, (name, way) in itertools.product((1.5, 3.0), cases):
        toy = GaussianToy(distance)
        test = toy.draw(50_000, [TESTED_AT], np.random.default_rng([seed, 9])).observed
        truth = log_ratio(toy.ratios(test)[None], toy)[0]
        points, settings = METHODS[name]
        network, freedom = ways.get(way, (four, None))
        events = toy.draw(30_000 if quick else 300_000, points, np.random.default_rng([seed, len(points)]))
        group = np.arange(len(events.parton))
        model, seconds = trained(toy, events, group, points, seed, {**settings, "network": network})
        mean = log_ratio(learned(model, toy, test).mean(axis=0)[None], toy)[0]
        away = np.abs(mean - truth) / np.maximum(error_of_log_ratio(model, toy, test), 1e-9)
        within = [(away < (norm.ppf(0.5 + 0.5 * p) if freedom is None else student.ppf(0.5 + 0.5 * p, freedom))).mean()
                  for p in (0.68, 0.95)]  # fmt: skip
        show(
            toy=f"mixture, alpha = {distance:g}", method=name, error=way, seed=seed,
            mean_squared_error=np.mean((mean - truth) ** 2), within_68=within[0], within_95=within[1], seconds=seconds,
        )  # fmt: skip


def error_of_log_ratio(model: SbiModel, toy: GaussianToy, observed: Array) -> Array:
    """Return the error of log r(x|0.6, 0): the scatter of the members, or from the covariance that the method knows."""
    covariance = model.covariance(observed[:, None])
    if covariance is None:
        members: Array = log_ratio(learned(model, toy, observed), toy).std(axis=0, ddof=1)
        return members
    expansion = Expansion.around(toy.monomials, model.record.reference)
    targets = model.targets(observed[:, None]).mean(axis=0)
    rows = [expansion.row(np.array([theta])) for theta in (TESTED_AT, 0.0)]
    slopes = [row / np.maximum(targets @ row, 1e-3)[:, None] for row in rows]
    slope = slopes[0] - slopes[1]
    variance = np.einsum("na,nab,nb->n", slope, covariance, slope)
    errors: Array = np.sqrt(np.maximum(variance, 0.0))
    return errors


def tail(quick: bool, seed: int, methods: Sequence[str]) -> None:
    """Print a line with and one without fractional smearing."""
    toy = GaussianToy(4.0)
    parton = toy.draw(10_000 if quick else 100_000, [0.0], np.random.default_rng([seed, 1]))
    grid = np.linspace(4.0, 7.0, 61)
    test = toy.draw(50_000, [TESTED_AT], np.random.default_rng([seed, 9])).observed
    truth = log_ratio(toy.ratios(test)[None], toy)[0]
    for threshold in (None, 0.5):
        events, group = smeared_again(toy, parton, threshold, np.random.default_rng([seed, 2]))
        model, seconds = trained(toy, events, group, (0.0,), seed, {}, all_validate=True)
        squares = learned(model, toy, grid).mean(axis=0)[:, 2]
        error = np.log(np.maximum(squares, 1e-3)) - np.log(toy.ratios(grid)[:, 2])
        mean = log_ratio(learned(model, toy, test).mean(axis=0)[None], toy)[0]
        show(
            toy="mixture, alpha = 4", method=f"fractional smearing, T = {threshold}" if threshold else "plain",
            seed=seed, events=len(events.parton), error_of_log_derivative=np.mean(error**2), mean_log_ratio=mean.mean(),
            true_mean=truth.mean(), mean_squared_error=np.mean((mean - truth) ** 2), seconds=seconds,
        )  # fmt: skip


def smeared_again(
    toy: GaussianToy, events: ToyEvents, threshold: float | None, generator: np.random.Generator
) -> tuple[ToyEvents, NDArray[np.int64]]:
    """Return copies of parton events, each with a smearing of its own, and the numbers of their parton events."""
    number = np.ones(len(events.parton), dtype=np.int64)
    if threshold is not None:
        reference = float(events.coefficients[:, 0].mean())
        square = events.coefficients[:, 2] / reference
        targets = SmearingTargets((2,), reference, np.array([square.mean()]), np.array([square.std()]))
        number = copies_of(events.coefficients, targets, FractionalSmearingConfig(threshold=threshold, max_copies=5000))
    parton = np.repeat(events.parton, number)
    observed = parton + toy.smearing * generator.normal(size=len(parton))
    shared = np.repeat(events.coefficients / number[:, None], number, axis=0)
    return ToyEvents(parton, observed, shared), np.repeat(np.arange(len(number)), number)


def trained(
    toy: GaussianToy, events: ToyEvents, group: NDArray[np.int64], points: Sequence[float], seed: int,
    settings: dict[str, Any], all_validate: bool = False,
) -> tuple[SbiModel, float]:  # fmt: skip
    """Return a model trained on events, and the seconds; with `all_validate` the events that train also validate."""
    config = SbiConfig.model_validate({
        "features": [FEATURE],
        "shares": {"fit": 0.0, "calibration": 0.0},
        "network": {"hidden": [32, 32], "members": 3},
        "training": {"epochs": 15, "batch_size": 1024, "learning_rate": 1e-2},
        **settings,
    })  # fmt: skip
    sample = SimulatedEvents((FEATURE,), events.observed[:, None], events.coefficients, group)
    sums = events.coefficients.sum(axis=0), events.coefficients.T @ events.coefficients
    rate = FiducialRate.of_sums(toy.monomials, *sums, None)
    parts = _Together(np.zeros(len(group), dtype=np.int64)) if all_validate else parts_of(group, config.parts(), seed)
    known = TrainingEvents(sample, toy.metadata(points), parts, rate.record())
    prior = np.random.default_rng([seed, 5]).normal(size=(4096, 1))
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        model = train_on_events(known, config, seed, Path(folder), theta=prior).model
    return model, time.process_time() - began


class _Together(Parts):
    """All events train and validate."""

    def of(self, name: str) -> NDArray[np.bool_]:
        """Return all events, or none."""
        return np.full(len(self.number), name in ("train", "validation"))


def learned(model: SbiModel, toy: GaussianToy, observed: Array) -> Array:
    """Return R_a(x) to θ = 0 of each member, `(M, N, 3)`."""
    found = Expansion.around(toy.monomials, model.record.reference).ratios(model.targets(observed[:, None]))
    values: Array = found / found[..., :1]
    return values


def log_ratio(ratios: Array, toy: GaussianToy) -> Array:
    """Return log r(x|0.6, 0) of ratios `(M, N, 3)`, with the true cross sections; at least that of a floor of 10⁻³."""
    values: Array = np.log(np.maximum(ratios @ toy.monomials.evaluate([TESTED_AT]), 1e-3) / (1.0 + TESTED_AT**2))
    return values


@dataclass(frozen=True)
class _Normal:
    """z ~ N(θ, 2), x ~ N(z, 1); events are drawn from a mixture of θ, which their densities are relative to."""

    reach: float = 4.0
    width: float = 2.0

    def log_ratio(self, observed: Array, theta: Array) -> Array:
        """Return log p(x|θ)/p(x|0)."""
        values: Array = (observed * theta - 0.5 * theta**2) / (self.width**2 + 1.0)
        return values


class _NormalDraws(ThetaDraws):
    """θ uniform in (−reach, reach); the target of an event is z and the density that it was drawn from."""

    def __init__(self, toy: _Normal, theta: Array) -> None:
        units = torch.from_numpy(theta[:, None] / toy.reach)
        super().__init__(units, torch.zeros(len(theta), 1), torch.zeros(len(theta), 1, 1))
        self.toy = toy

    def densities(self, targets: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return p(z|0) and p(z|θ) over the density of the sample."""
        theta = self.toy.reach * self.units[numbers, 0]
        reference, other = (torch.exp(-0.5 * ((targets[:, 0] - t) / self.toy.width) ** 2) for t in (0.0, theta))
        return reference / targets[:, 1], other / targets[:, 1]

    def slopes(self, targets: Tensor, numbers: Tensor) -> Tensor:
        """Return the density times the score (z − θ)/4, in units of the range."""
        theta = self.toy.reach * self.units[numbers, 0]
        score = (targets[:, 0] - theta) / self.toy.width**2 * self.toy.reach
        return (self.densities(targets, numbers)[1] * score)[:, None]


def normal(quick: bool, seed: int, methods: Sequence[str]) -> None:
    """Print a line for each method on the toy of normal distributions."""
    toy, generator = _Normal(), np.random.default_rng([seed, 3])
    count = 2_000 if quick else 10_000
    drawn_at = np.linspace(-toy.reach, toy.reach, 33)
    z = generator.choice(drawn_at, size=count) + toy.width * generator.normal(size=count)
    x = z + generator.normal(size=count)
    density = np.exp(-0.5 * ((z[:, None] - drawn_at) / toy.width) ** 2).mean(axis=1)
    theta = generator.uniform(-toy.reach, toy.reach, 2_000)
    tested = theta + np.hypot(toy.width, 1.0) * generator.normal(size=len(theta))
    scale = x.std()
    table = TensorTable({
        "inputs": torch.from_numpy(x[:, None] / scale).float(),
        "targets": torch.from_numpy(np.stack([z, density], axis=1)),
    })  # fmt: skip
    for kind in ("carl", "alice", "rolr", "cascal", "alices", "rascal"):
        draws = _NormalDraws(toy, generator.uniform(-toy.reach, toy.reach, 4096))
        with seeded_weights(seed, "benchmark"):
            backbone = EnsembleMLP(2, (64, 64), 1)
        one = torch.ones(1, 1, dtype=torch.float64)
        method = ConditionalRatio(backbone, 1, kind, Projection(one, one, one[0]), draws, score_weight=0.1)
        settings = PhaseSettings(
            "benchmark", epochs=40, batch_size=200, learning_rate=5e-3, average=0.999, accelerator="cpu", devices=1
        )
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            cut = round(0.8 * count)
            run_phase(
                MethodPhase(method, 0.0, cut), table.part(0, cut), table.part(cut, count), settings, Path(folder), seed
            )
        seconds = time.process_time() - began
        with torch.no_grad():
            inputs = torch.from_numpy(tested[:, None] / scale).float()
            units = torch.from_numpy(theta[None, :, None] / toy.reach).float()
            found = method.log_ratio(inputs, units)[0].double().numpy()
        error = (found - toy.log_ratio(tested, theta)) ** 2
        show(
            toy="normal", method=kind, events=count, mean_squared_error=error.mean(),
            its_error=error.std() / np.sqrt(len(error)), seconds=seconds,
        )  # fmt: skip


def show(**row: Any) -> None:
    """Print a row as a JSON line."""
    print(
        json.dumps({key: float(f"{value:.4g}") if not isinstance(value, str) else value for key, value in row.items()}),
        flush=True,
    )


PARTS = {
    "near": partial(ratios_of_mixture, 1.5),
    "far": partial(ratios_of_mixture, 3.0),
    "bands": bands,
    "tail": tail,
    "normal": normal,
}

if __name__ == "__main__":
    main()
