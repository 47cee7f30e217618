"""Which head of the transfer function is best: ``python benchmarks/transfer_heads.py --store … --models …``.

Prints one JSON line for each model folder (with `transfer` in it), on the same selected events of a store:

- `head`, `parameters`.
- `minus_log_p`: mean of −log p_T(x|z) at the true partons, in GeV, units of η and radians, with its error. The Jacobian
  to these units is the same for all heads.
- `ratios`: for each monomial the squared correlation of R_a = P_a/P_ref with the truth c_a(z)/c_ref(z), and the slope
  of the truth against the estimate, weighted by c_ref; P_ref is that at the parameters `--reference`. Errors are the
  scatter over events drawn anew with replacement, the same draws for all heads.
- `effective`: median of (Σw)²/Σw² of P_ref as a share of the points.
- `seconds_per_point`: processor time of p_T alone on one core.

All heads see the same points, drawn from the proposal of the pretrained models (or of `--proposal-model`), so that what
differs between them is no chance of the integration. The events must not be those that the models were trained on.

    partonic train heads.yaml              # mem_training.transfer: {head: splines | candidates | flow_matching}
    python benchmarks/transfer_heads.py --store runs/held_out/simulate/events.parquet --models splines/ candidates/
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from partonic.config.mem import MemConfig
from partonic.config.process import settings_models
from partonic.errors import PartonicError
from partonic.events.batch import RecoEvents
from partonic.events.store import EventStore
from partonic.mem.integral.integrate_events import hypothesis_of_store
from partonic.mem.transfer.transfer_function import TransferFunction
from partonic.physics.process import PartonEvents
from partonic.rng import torch_generator

SEED = 20_261_129
NEGLIGIBLE = 1e-18
RESAMPLED = 200


@dataclass
class Points:
    """Events, their truth, and points of the integral.

    Attributes:
        x: events.
        true_momenta: in the order of the decay channel, `(N, P, 4)`.
        true_coefficients: `(N, monomials)`.
        momenta: of the points, `(N, S, P, 4)`.
        coefficients: `(N, S, monomials)`.
        log_rest: ln of all factors of the weights but p_T and the coefficients, `(N, S)`.
    """

    x: RecoEvents
    true_momenta: Tensor
    true_coefficients: np.ndarray
    momenta: Tensor
    coefficients: np.ndarray
    log_rest: Tensor


def main() -> None:
    """Print one line for each model."""
    options = arguments()
    torch.set_num_threads(1)
    try:
        names, reference, points = drawn_points(options)
        for folder in options.models:
            transfer = TransferFunction.load(folder / "transfer")
            print(json.dumps({"model": folder.name, **measured(transfer, points, names, reference)}), flush=True)
    except PartonicError as error:
        sys.exit(str(error))


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, required=True, help="event store of held-out simulated events")
    parser.add_argument("--models", type=Path, nargs="+", required=True, help="folders with `transfer` in them")
    parser.add_argument("--proposal-model", default="pretrained", help="models whose proposal and acceptance are taken")
    parser.add_argument("--reference", nargs="*", default=[], help="parameters of the reference, such as kappa_e=1")
    parser.add_argument("--events", type=int, default=300, help="selected events")
    parser.add_argument("--skip", type=int, default=0, help="selected events to leave out at the beginning")
    parser.add_argument("--points", type=int, default=2_000, help="points of each event")
    return parser.parse_args()


def drawn_points(options: argparse.Namespace) -> tuple[tuple[str, ...], np.ndarray, Points]:
    """Return names of the monomials, those of the reference, and events with their points."""
    store = EventStore.open(options.store)
    known = {"name": store.metadata.process, "collider_energy": store.metadata.collider_energy}
    settings = next(model for model in settings_models() if model.model_fields["name"].default == known["name"])
    hypothesis = hypothesis_of_store(store.metadata, settings.model_validate(known))
    parts = hypothesis.ingredients(MemConfig(model=options.proposal_model, initial_state=False))
    batch = next(iter(store.batches(size=options.skip + options.events, selected_only=True)))
    batch = batch.filter(np.arange(len(batch)) >= options.skip)
    x, channel = batch.reco(), parts.decay_channel
    generator = torch_generator(SEED, "heads")
    numbers, log_q = parts.proposal.sample_and_log_density(x, options.points, generator)
    usable = ~log_q.isnan().any(dim=1)
    x, numbers, log_q = x.select(usable), numbers[usable].double(), log_q[usable].double()
    inside = ((numbers >= 0.0) & (numbers <= 1.0)).all(dim=2) & log_q.isfinite()
    batch = batch.filter(usable.numpy())
    events, log_volume = parts.proposal.view.partons(numbers.clamp(0.0, 1.0).flatten(0, 1))
    shape = log_q.shape
    momenta = events.momenta.view(*shape, *events.momenta.shape[1:])
    in_order = channel.process_order(momenta, x).flatten(0, 1)
    coefficients = parts.process.coefficients(PartonEvents(in_order, events.x1, events.x2))
    log_acceptance = parts.acceptance.log_probability(events.momenta)
    monomials = parts.process.monomials
    theta = {name: float(value) for name, _, value in (entry.partition("=") for entry in options.reference)}
    return (
        tuple(monomials.names),
        np.asarray(monomials.evaluate(monomials.point(theta))).reshape(-1),
        Points(
            x=x,
            true_momenta=channel.truth(batch).momenta.float(),
            true_coefficients=batch.coefficients,
            momenta=momenta,
            coefficients=torch.where(inside[..., None], coefficients.view(*shape, -1).double(), 0.0).numpy(),
            log_rest=torch.where(inside, (log_acceptance + log_volume).view(shape) - log_q, -torch.inf),
        ),
    )


def measured(
    transfer: TransferFunction, points: Points, names: tuple[str, ...], reference: np.ndarray
) -> Mapping[str, object]:
    """Return the figures of one model."""
    at_truth = -transfer.log_density(points.x, points.true_momenta[:, None])[:, 0].numpy()
    start = time.process_time()
    log_density = transfer.log_density(points.x, points.momenta)
    seconds = time.process_time() - start
    log_weights = (log_density + points.log_rest).numpy()
    highest = log_weights.max(axis=1, keepdims=True)
    weights = np.exp(log_weights - np.where(np.isneginf(highest), 0.0, highest))  # a NaN stays one
    integrals = (weights[..., None] * points.coefficients).sum(axis=1)
    of_reference = weights * (points.coefficients @ reference)
    effective = of_reference.sum(axis=1) ** 2 / np.maximum((of_reference**2).sum(axis=1), 1e-300)
    return {
        "head": transfer.network.config.head,
        "parameters": sum(parameter.numel() for parameter in transfer.network.parameters()),
        "events": len(at_truth),
        "points": log_weights.shape[1],
        "minus_log_p": round(float(at_truth.mean()), 3),
        "minus_log_p_error": round(float(at_truth.std() / len(at_truth) ** 0.5), 3),
        "effective": round(float(np.median(effective)) / log_weights.shape[1], 4),
        "seconds_per_point": float(f"{seconds / log_weights.size:.3g}"),
        "ratios": ratios(integrals, points.true_coefficients, names, reference),
    }


def ratios(
    found: np.ndarray, truth: np.ndarray, names: tuple[str, ...], reference: np.ndarray
) -> dict[str, dict[str, float]]:
    """Return squared correlation and slope of each ratio that is not the same for all events, with errors."""
    whole, generator = correlations(found, truth, reference), np.random.default_rng(SEED)
    draws = [generator.integers(len(found), size=len(found)) for _ in range(RESAMPLED)]
    errors = np.std([correlations(found[rows], truth[rows], reference) for rows in draws], axis=0)
    keys = ("squared_correlation", "slope")
    return {
        name: {
            **{key: round(float(whole[number, place]), 3) for number, key in enumerate(keys)},
            **{f"{key}_error": round(float(errors[number, place]), 3) for number, key in enumerate(keys)},
        }
        for place, name in enumerate(names)
        if np.isfinite(whole[:, place]).all()
    }


def correlations(found: np.ndarray, truth: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return squared correlations and slopes of all ratios, `(2, monomials)`; NaN of those that do not vary."""
    estimated, true = found @ reference, truth @ reference
    kept = (estimated > 0.0) & (true > 0.0)
    one, other = found[kept] / estimated[kept, None], truth[kept] / true[kept, None]
    share = true[kept] / true[kept].sum()
    one, other = one - share @ one, other - share @ other
    both, of_one, of_other = share @ (one * other), share @ one**2, share @ other**2
    varies = (of_one > NEGLIGIBLE) & (of_other > NEGLIGIBLE)
    of_one, of_other = np.where(varies, of_one, np.nan), np.where(varies, of_other, np.nan)
    return np.stack([both**2 / of_one / of_other, both / of_one])


if __name__ == "__main__":
    main()
