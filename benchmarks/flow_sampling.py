"""Speed of sampling and evaluating the flow of CMS-DP-2023-85 against zuko, with identical weights and base numbers.

Draws samples of one event, with their log-densities, by the incremental sampler in float32 and bfloat16 and by zuko's
NSF (10 numbers, 16 of context, 6 transforms, 40 bins, 512 × 512 hidden units); evaluates 2,000 events by both. All take
turns, several times; each speed-up is a ratio of median times of this run. Prints one JSON line.

    python benchmarks/flow_sampling.py [--quick] [--threads N] [--repeats N]
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from statistics import median

import torch
import zuko
from torch import Tensor

from partonic.nn.flows import ConditionalFlow, FlowShape, load_zuko_weights
from partonic.nn.flows.incremental import IncrementalSampler
from partonic.rng import torch_generator

FEATURES, CONTEXT = 10, 16
SHAPE = FlowShape(transforms=6, bins=40, hidden=(512, 512))
SAMPLES = (1, 100, 10_000)
EVALUATED_EVENTS = 2_000
SEED = 20_260_713

Draw = Callable[[], tuple[Tensor, Tensor]]


def flows() -> tuple[zuko.flows.NSF, ConditionalFlow]:
    """Return zuko's flow as it is first made, and ours with the same weights, ready for evaluation."""
    torch.manual_seed(SEED)
    theirs = zuko.flows.NSF(
        FEATURES, CONTEXT, transforms=SHAPE.transforms, bins=SHAPE.bins, hidden_features=SHAPE.hidden
    ).eval()
    ours = ConditionalFlow(FEATURES, CONTEXT, SHAPE).eval()
    load_zuko_weights(ours, theirs.state_dict())
    return theirs, ours


def draw_with_zuko(flow: zuko.flows.NSF, noise: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
    """Return x and ln q(x) for base numbers (samples, features), as zuko's `rsample_and_log_prob` works them out."""
    with torch.inference_mode():
        distribution = flow(context)
        x, log_det = distribution.transform.inv.call_and_ladj(noise)
        return x, distribution.base.log_prob(noise) - log_det


def median_times(tasks: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median time of each task in seconds, after a warm-up; tasks take turns."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def difference(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> float:
    """Return the largest difference of samples and log-densities."""
    return max(float((a.flatten() - b.flatten()).abs().max()) for a, b in zip(first, second, strict=True))


def sampling(theirs: zuko.flows.NSF, ours: ConditionalFlow, samples: int, repeats: int) -> dict[str, float]:
    """Time the samplers on one event and compare what they draw."""
    generator = torch_generator(SEED, "flow sampling", samples)
    context = torch.randn((1, CONTEXT), generator=generator)
    noise = torch.randn((1, samples, FEATURES), generator=generator)
    full, reduced = IncrementalSampler(ours), IncrementalSampler(ours, "bfloat16")
    draws: dict[str, Draw] = {
        "zuko": lambda: draw_with_zuko(theirs, noise[0], context[0]),
        "float32": lambda: full.transform(noise, context),
        "reduced": lambda: reduced.transform(noise, context),
    }
    times = median_times(draws, repeats)
    drawn = {name: draw() for name, draw in draws.items()}
    return {
        **{f"seconds_{samples}_{name}": round(value, 6) for name, value in times.items()},
        f"speedup_{samples}_float32": round(times["zuko"] / times["float32"], 2),
        f"speedup_{samples}_reduced": round(times["zuko"] / times["reduced"], 2),
        f"max_abs_difference_{samples}": difference(drawn["zuko"], drawn["float32"]),
        f"max_abs_difference_{samples}_reduced": difference(drawn["zuko"], drawn["reduced"]),
    }


def evaluation(theirs: zuko.flows.NSF, ours: ConditionalFlow, events: int, repeats: int) -> dict[str, float]:
    """Time the log-density of one x for each event."""
    generator = torch_generator(SEED, "flow evaluation")
    context = torch.randn((events, CONTEXT), generator=generator)
    x = torch.randn((events, FEATURES), generator=generator)

    def with_zuko() -> Tensor:
        with torch.inference_mode():
            return theirs(context).log_prob(x)

    def with_ours() -> Tensor:
        with torch.inference_mode():
            return ours.log_prob(x, context)

    times = median_times({"zuko": with_zuko, "ours": with_ours}, repeats)
    return {
        "seconds_log_prob_zuko": round(times["zuko"], 6),
        "seconds_log_prob": round(times["ours"], 6),
        "log_prob_speedup": round(times["zuko"] / times["ours"], 2),
        "log_prob_max_abs_difference": float((with_zuko() - with_ours()).abs().max()),
    }


def main() -> None:
    """Run the comparison and print its JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads of each side")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each at 10,000 samples; more at fewer")
    parser.add_argument("--quick", action="store_true", help="at most 100 samples and 200 evaluated events, few runs")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    theirs, ours = flows()
    result: dict[str, float] = {"threads": options.threads, "parameters": sum(p.numel() for p in ours.parameters())}
    for samples in SAMPLES[:2] if options.quick else SAMPLES:
        repeats = options.repeats * (1 if samples == max(SAMPLES) or options.quick else 4)
        result |= sampling(theirs, ours, samples, repeats)
    events = 200 if options.quick else EVALUATED_EVENTS
    result |= evaluation(theirs, ours, events, options.repeats * (1 if options.quick else 3))
    compared = [f"max_abs_difference_{samples}" for samples in SAMPLES]
    result["max_abs_difference"] = max(result[key] for key in compared if key in result)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
