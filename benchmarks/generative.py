"""Generative models on the same events, in the same time: ``python benchmarks/generative.py --store events.parquet``.

Prints one JSON line for each model and task. Two tasks:

- `partons`: the three partons of the hard process, as numbers of the unit cube on the real line (logit), 7 numbers.
- `reconstructed`: lepton, missing momentum and the four hardest jets given these partons, in the frame in which the
  first parton has φ = 0: 17 numbers given 10. Bounded numbers are on the real line by ln or logit, angles cut at π.

Every model is trained on the same events (made of equal weight) for `--seconds` of processor time on one core, with the
same batches and the cosine schedule ending there; epochs follow from a trial of its speed. The columns:

- `auc`: a classifier (boosted trees) of numbers, observables and conditions, trained to tell samples from true events
  and tried on others: 0.5 is perfect.
- `wasserstein`: distance of samples and true events in each of ten observables, in units of their σ, averaged over
  these; `worst` the largest. `floor` is what two true samples of this size give. Values beyond the range of the true
  sample count as its ends, and `beyond_range` is the share of them (about 2/N for two true samples).
- `tail`: share of samples beyond the true 99% quantile of an observable, over 1%, averaged and the most deviating one;
  its statistical error stands beside.
- `log_prob`: mean ln p of unseen true events (of the numbers), with its error; null without a density.
- `train_seconds`, `sample_seconds`: of processor time, the second for 10,000 events; `parameters`: weights that
  sampling needs, those of a critic or encoder not counted.

With `--output` the lines are added to a file, and those that it has already (task, model, seconds, seed and numbers of
events) are not made again: a run that was killed goes on. `--summary FILE` prints the mean of the seeds in such a file,
with the standard error that their scatter gives, in place of all this.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor

from partonic.classify.roc import roc_curve
from partonic.config.generative import (
    AutoregressiveFlowConfig,
    AutoregressiveTransformerConfig,
    CouplingFlowConfig,
    DiffusionConfig,
    FlowMatchingConfig,
    GanConfig,
    GenerativeConfig,
    GenerativeTrainingConfig,
    VaeConfig,
)
from partonic.events.batch import RECO_COLUMNS, EventBatch
from partonic.events.store import EventStore
from partonic.nn.generative import DensityModel, GenerativeModel, build_generative_model
from partonic.physics.kinematics import azimuth, delta_phi, from_pt_eta_phi_m, rapidity, transverse_momentum
from partonic.physics.phasespace.unit_cube import RamboCube
from partonic.progress import SilentProgress
from partonic.rng import numpy_generator, torch_generator

Array = NDArray[np.float64]
MODELS: dict[str, GenerativeConfig] = {
    "flow_matching": FlowMatchingConfig(),
    "diffusion": DiffusionConfig(),
    "coupling_affine": CouplingFlowConfig(transform="affine"),
    "coupling_quadratic": CouplingFlowConfig(transform="quadratic"),
    "coupling_rational_quadratic": CouplingFlowConfig(),
    "autoregressive": AutoregressiveFlowConfig(),
    "autoregressive_transformer": AutoregressiveTransformerConfig(),
    "vae": VaeConfig(),
    "gan": GanConfig(),
    "wasserstein_gan": GanConfig(loss="wasserstein"),
}
MARGIN = 1e-6
JETS = 4
TIMED_STEPS = 30
DENSITIES = 1_000


@dataclass(frozen=True)
class Task:
    """Events of a task.

    Attributes:
        name: of the task.
        data: numbers that a model draws, `(N, D)`.
        conditions: what it is given, `(N, C)`.
        observables: of numbers and conditions: ten columns, by name.
    """

    name: str
    data: Tensor
    conditions: Tensor
    observables: Callable[[Tensor, Tensor], Mapping[str, Tensor]]


def main() -> None:
    """Train and judge the models."""
    options = arguments()
    if options.summary is not None:
        summarise(options.summary)
        return
    torch.set_num_threads(1)
    store, done = EventStore.open(options.store), finished(options.output)
    for seed in options.seeds:
        options.seed = seed
        for name in options.tasks:
            missing = [model for model in options.models if key_of(planned(name, model, options)) not in done]
            if not missing:
                continue
            task = TASKS[name](store, options.train + 2 * options.test, seed)
            if len(task.data) < options.train + 2 * options.test:
                sys.exit(f"{options.store} has {len(task.data)} usable events for '{name}': ask for fewer")
            for model in missing:
                line = json.dumps(planned(name, model, options) | judged(model, task, options))
                print(line, flush=True)
                if options.output is not None:
                    with options.output.open("a", encoding="utf-8") as file:
                        file.write(line + "\n")


def planned(task: str, model: str, options: argparse.Namespace) -> dict[str, object]:
    """Return what a line is told apart by."""
    events = {"train_events": options.train, "test_events": options.test}
    return {"task": task, "model": model, "seconds": options.seconds, "seed": options.seed, **events}


def key_of(line: Mapping[str, object]) -> tuple[object, ...]:
    """Return the same as a key."""
    return tuple(line[name] for name in ("task", "model", "seconds", "seed", "train_events", "test_events"))


def finished(path: Path | None) -> set[tuple[object, ...]]:
    """Return the keys of the lines that a file has."""
    if path is None or not path.exists():
        return set()
    return {key_of(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()}


def summarise(path: Path) -> None:
    """Print the lines of a file as rows of a table: means over the seeds, with standard errors where they can be."""
    groups: dict[tuple[object, ...], list[dict[str, Any]]] = {}
    for line in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        groups.setdefault((line["task"], line["seconds"], line["model"]), []).append(line)
    order = sorted(groups, key=lambda key: (str(key[0]), str(key[1]), _mean_error(groups[key], "auc")[0]))
    names = ("auc", "wasserstein", "worst", "tail", "log_prob", "epochs", "train_seconds", "sample_seconds")
    print("| task | seconds | model | seeds |", " | ".join(names), "|")
    for key in order:
        cells = [_cell(*_mean_error(groups[key], name)) for name in names]
        print("|", " | ".join([*map(str, key), str(len(groups[key])), *cells]), "|")


def _mean_error(lines: list[dict[str, Any]], name: str) -> tuple[float, float]:
    """Return mean and standard error of a column over the seeds; NaN where there is none."""
    values = [line[name][0] if isinstance(line[name], list) else line[name] for line in lines]
    numbers = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    error = numbers.std(ddof=1) / math.sqrt(len(numbers)) if len(numbers) > 1 else math.nan
    return float(numbers.mean()), float(error)


def _cell(mean: float, error: float) -> str:
    if math.isnan(mean):
        return ""
    return f"{mean:.4g}" if math.isnan(error) else f"{mean:.4g} ± {error:.2g}"


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--store", type=Path, help="event store of a process with three partons")
    parser.add_argument("--tasks", nargs="*", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--models", nargs="*", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=60.0, help="processor time of each training")
    parser.add_argument("--train", type=int, default=50_000, help="events of training")
    parser.add_argument("--test", type=int, default=20_000, help="events of the test, and of the second true sample")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--output", type=Path, help="file that lines are added to, and that tells which are done")
    parser.add_argument("--summary", type=Path, help="file of lines to print means of, in place of a run")
    options = parser.parse_args()
    if options.store is None and options.summary is None:
        parser.error("give the events with --store")
    return options


def equal_weights(batch: EventBatch, generator: np.random.Generator) -> EventBatch:
    """Return events of (nearly) equal weight: the rejection's largest weight is exceeded by one in a thousand."""
    weight = batch.weight
    return batch.filter(generator.random(len(weight)) * np.quantile(weight, 0.999) < weight)


def read(store: EventStore, columns: tuple[str, ...], events: int, seed: int, *, selected: bool) -> EventBatch:
    """Return about so many events of equal weight, and a few more."""
    batches = store.batches(columns, size=int(1.5 * events) + 1000, selected_only=selected)
    return equal_weights(next(batches), numpy_generator(seed, "weights"))


def line_of_partons(batch: EventBatch) -> tuple[Tensor, RamboCube]:
    """Return the unit cube's numbers of the partons on the real line, and the cube."""
    partons = batch.partons()
    momenta = partons.momenta
    masses = (momenta[..., 0] ** 2 - momenta[..., 1:].square().sum(dim=-1)).clamp(min=0.0).sqrt().median(dim=0).values
    cube = RamboCube(tuple(masses.tolist()), batch.metadata.collider_energy)
    numbers = cube.inverse(partons)[0]
    return torch.logit(numbers.clamp(MARGIN, 1.0 - MARGIN)), cube


def parton_task(store: EventStore, events: int, seed: int) -> Task:
    """Return parton events without conditions."""
    batch = read(store, ("weight", "x1", "x2", "partons"), events, seed, selected=False)
    line, cube = line_of_partons(batch)
    names = batch.metadata.parton_names

    def observables(numbers: Tensor, _: Tensor) -> Mapping[str, Tensor]:
        momenta = cube.forward(torch.sigmoid(numbers).clamp(MARGIN, 1.0 - MARGIN))[0].momenta
        found = {}
        for place, name in enumerate(names):
            found[f"pt_{name}"] = transverse_momentum(momenta[:, place])
            found[f"y_{name}"] = rapidity(momenta[:, place])
        for first, second in ((0, 1), (0, 2), (1, 2)):
            found[f"m_{names[first]}_{names[second]}"] = mass(momenta[:, first] + momenta[:, second])
        return found | {"m": mass(momenta.sum(dim=1))}

    return Task("partons", line, torch.empty(len(line), 0), observables)


def reconstructed_task(store: EventStore, events: int, seed: int) -> Task:
    """Return reconstructed objects given the partons."""
    batch = read(store, ("weight", "partons", "hadronic_top", *RECO_COLUMNS), events, seed, selected=True)
    partons = np.array(batch.column("partons")).reshape(len(batch), -1, 4)
    momenta = torch.from_numpy(partons.astype(np.float64))
    hadronic = torch.from_numpy(np.array(batch.column("hadronic_top")) < 0)
    momenta = torch.where(hadronic[:, None, None], momenta[:, [0, 2, 1]], momenta)  # H, hadronic, leptonic top
    direction = azimuth(momenta[:, 0])
    angles = azimuth(momenta[:, 1:]) - direction[:, None]
    shapes = [transverse_momentum(momenta).clamp(min=1.0).log(), rapidity(momenta), angles.cos(), angles.sin()]
    reco = batch.reco()
    selection = batch.metadata.config["simulation"]["selection"]
    cuts = {"lepton": selection["lepton_pt_min"], "jet": float(reco.jets[..., 0][reco.jet_mask].min()) - 1e-3}
    eta = float(selection["lepton_eta_max"])
    lepton, jets = reco.leptons[:, 0, :3].double(), reco.jets[:, :JETS, :3].double()
    met = reco.met.double()
    columns = [
        (lepton[:, 0] / cuts["lepton"] - 1.0).clamp(min=MARGIN).log(),
        on_line(0.5 + 0.5 * lepton[:, 1] / eta),
        angle_on_line(lepton[:, 2] - direction),
        met[:, 0].clamp(min=1e-2).log(),
        angle_on_line(met[:, 1] - direction),
    ]
    logs = (jets[..., 0] / cuts["jet"]).clamp(min=1.0 + MARGIN).log()
    for jet in range(JETS):
        columns.append(logs[:, 0].expm1().log() if jet == 0 else on_line(logs[:, jet] / logs[:, jet - 1]))
        columns += [on_line(0.5 + 0.5 * jets[:, jet, 1] / eta), angle_on_line(jets[:, jet, 2] - direction)]

    def observables(numbers: Tensor, _: Tensor) -> Mapping[str, Tensor]:
        return of_objects(numbers, cuts, eta)

    return Task("reconstructed", torch.stack(columns, dim=1), torch.cat(shapes, dim=1), observables)


def of_objects(numbers: Tensor, cuts: Mapping[str, float], eta: float) -> Mapping[str, Tensor]:
    """Return ten observables of lepton, missing momentum and jets."""
    lepton_pt = cuts["lepton"] * (1.0 + numbers[:, 0].exp())
    lepton_phi, met_phi = (2.0 * math.pi * torch.sigmoid(numbers[:, place]) for place in (2, 4))
    met, log_pt, momenta = numbers[:, 3].exp(), [], []
    for jet in range(JETS):
        t, t_eta, t_phi = numbers[:, 5 + 3 * jet : 8 + 3 * jet].unbind(dim=1)
        log_pt.append(t.exp().log1p() if jet == 0 else torch.sigmoid(t) * log_pt[-1])
        pt, phi = cuts["jet"] * log_pt[-1].exp(), 2.0 * math.pi * torch.sigmoid(t_phi)
        etas = eta * (2.0 * torch.sigmoid(t_eta) - 1.0)
        momenta.append(from_pt_eta_phi_m(torch.stack([pt, etas, phi, torch.zeros_like(pt)], dim=1)))
    pts = torch.stack([transverse_momentum(momentum) for momentum in momenta], dim=1)
    away = delta_phi(lepton_phi, met_phi)
    return {
        "pt_j1": pts[:, 0], "pt_j4": pts[:, 3], "sum_pt": pts.sum(dim=1), "pt_lepton": lepton_pt, "met": met,
        "eta_lepton": eta * (2.0 * torch.sigmoid(numbers[:, 1]) - 1.0),
        "m_j1_j2": mass(momenta[0] + momenta[1]), "m_jets": mass(sum(momenta[1:], momenta[0])),
        "phi_lepton_met": away.abs(), "m_t": (2.0 * lepton_pt * met * (1.0 - away.cos())).clamp(min=0.0).sqrt(),
    }  # fmt: skip


TASKS = {"partons": parton_task, "reconstructed": reconstructed_task}


def mass(momentum: Tensor) -> Tensor:
    """Return the invariant mass."""
    return (momentum[..., 0] ** 2 - momentum[..., 1:].square().sum(dim=-1)).clamp(min=0.0).sqrt()


def on_line(share: Tensor) -> Tensor:
    """Return the logit of a share."""
    return torch.logit(share.clamp(MARGIN, 1.0 - MARGIN))


def angle_on_line(angle: Tensor) -> Tensor:
    """Return the logit of an angle's share of the circle, cut at π."""
    return on_line((torch.remainder(angle + math.pi, 2.0 * math.pi)) / (2.0 * math.pi))


def judged(name: str, task: Task, options: argparse.Namespace) -> dict[str, object]:
    """Return the line of a model."""
    train, test = options.train, options.test
    parts = [slice(0, train), slice(train, train + test), slice(train + test, train + 2 * test)]
    (data, conditions), unseen, other = ((task.data[part], task.conditions[part]) for part in parts)
    model, epochs, seconds = trained(name, data, conditions, options)
    begin = time.process_time()
    samples = model.sample(unseen[1], torch_generator(options.seed, "draw", name))
    sampling = (time.process_time() - begin) * 10_000 / test
    first, second, truth = (
        {key: values.numpy() for key, values in task.observables(*events).items()}
        for events in ((samples, unseen[1]), other, unseen)
    )
    distances, floors = ([wasserstein(sample[key], truth[key]) for key in truth] for sample in (first, second))
    tails = [float((first[key] > np.quantile(truth[key], 0.99)).mean()) / 0.01 for key in truth]
    beyond = [float(((first[key] < truth[key].min()) | (first[key] > truth[key].max())).mean()) for key in truth]
    most = max(tails, key=lambda ratio: abs(ratio - 1.0))
    return {
        "auc": auc(task, samples, unseen, other, options),
        "wasserstein": rounded(np.mean(distances)), "worst": rounded(max(distances)),
        "worst_observable": list(truth)[int(np.argmax(distances))],
        "floor": rounded(np.mean(floors)), "worst_floor": rounded(max(floors)),
        "beyond_range": round(float(np.mean(beyond)), 6), "tail": rounded(np.mean(tails)),
        "most_deviating_tail": rounded(most),
        "tail_error": rounded(math.sqrt(2.0 / (0.01 * test))),
        "log_prob": log_prob(model, *unseen, options), "epochs": epochs, "train_seconds": rounded(seconds),
        "sample_seconds": rounded(sampling), "parameters": weights_of(model),
        "finite": bool(torch.isfinite(samples).all()),
    }  # fmt: skip


def trained(
    name: str, data: Tensor, conditions: Tensor, options: argparse.Namespace
) -> tuple[GenerativeModel, int, float]:
    """Return a model after so many epochs as fit into the time, their number and the seconds."""
    common = {"batch_size": options.batch_size, "learning_rate": options.learning_rate, "accelerator": "cpu"}
    some = TIMED_STEPS * options.batch_size
    clock, few = StepClock(), GenerativeTrainingConfig(epochs=2, devices=1, **common)
    trial = (data[:some], conditions[:some], None, torch_generator(options.seed, "trial"), clock)
    fresh(name, data, conditions, options).fit(*trial, training=few)
    an_epoch = clock.seconds_per_step() * len(data) / options.batch_size
    settings = GenerativeTrainingConfig(epochs=max(1, round(options.seconds / an_epoch)), devices=1, **common)
    model, begin = fresh(name, data, conditions, options), time.process_time()
    model.fit(data, conditions, None, torch_generator(options.seed, "fit", name), training=settings)
    return model, settings.epochs, time.process_time() - begin


class StepClock(SilentProgress):
    """Notes the processor time after each step of a training, validation included."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def advance(self, amount: int = 1, **figures: float | str) -> None:
        """Take note of a step."""
        self.times.append(time.process_time())

    def seconds_per_step(self) -> float:
        """Return the mean time of a step after the first few, which wait for what is done once."""
        late = self.times[len(self.times) // 3 :]
        return (late[-1] - late[0]) / (len(late) - 1)


def fresh(name: str, data: Tensor, conditions: Tensor, options: argparse.Namespace) -> GenerativeModel:
    """Return a model with first weights."""
    sizes = data.shape[1], conditions.shape[1]
    return build_generative_model(MODELS[name], *sizes, torch_generator(options.seed, "build", name))


def weights_of(model: GenerativeModel) -> int:
    """Return the number of weights that sampling needs."""
    unused = ("critic.", "encoder.")
    return sum(weight.numel() for name, weight in model.named_parameters() if not name.startswith(unused))


def log_prob(
    model: GenerativeModel, data: Tensor, conditions: Tensor, options: argparse.Namespace
) -> list[float] | None:
    """Return mean ln p of some events with its error, None without a density."""
    if not isinstance(model, DensityModel):
        return None
    with torch.no_grad():
        generator = torch_generator(options.seed, "density")
        values = model.log_prob(data[:DENSITIES], conditions[:DENSITIES], generator)
    return [rounded(values.mean()), rounded(values.std() / math.sqrt(len(values)))]


def wasserstein(sample: Array, truth: Array) -> float:
    """Return the Wasserstein-1 distance of two samples of equal size, in units of the σ of the second.

    Values beyond the range of the second count as its ends: one event far away would be all that is seen.
    """
    clipped = np.sort(sample.clip(truth.min(), truth.max()))
    return float(np.abs(clipped - np.sort(truth)).mean() / truth.std())


def auc(
    task: Task,
    samples: Tensor,
    unseen: tuple[Tensor, Tensor],
    other: tuple[Tensor, Tensor],
    options: argparse.Namespace,
) -> list[float]:
    """Return the area under the curve of samples, with the conditions of unseen events, against other true events."""
    features, labels = [], []
    for numbers, conditions, label in ((samples, unseen[1], 0), (*other, 1)):
        columns = [numbers, conditions, *(values[:, None] for values in task.observables(numbers, conditions).values())]
        features.append(torch.cat(columns, dim=1).numpy())
        labels.append(np.full(len(numbers), label))
    halves = [np.arange(len(part)) % 2 == 0 for part in features]
    fit = [
        np.concatenate([part[half] for part, half in zip(parts, halves, strict=True)]) for parts in (features, labels)
    ]
    trees = HistGradientBoostingClassifier(max_iter=200, early_stopping=True, random_state=options.seed).fit(*fit)
    scores = [trees.decision_function(part[~half]) for part, half in zip(features, halves, strict=True)]
    ones = [np.ones(len(score)) for score in scores]
    generator = numpy_generator(options.seed, "roc")
    area = roc_curve("true", (scores[1], ones[1]), (scores[0], ones[0]), generator).auc
    return [rounded(area.value), rounded(area.error)]


def rounded(value: float | Tensor | np.floating) -> float:
    """Return a number with four digits after the point."""
    return round(float(value), 4)


if __name__ == "__main__":
    main()
