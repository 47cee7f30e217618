"""The program that generates one matrix element, run as a process of its own by `artifacts`.

It reads a JSON request (first argument), drives `pyamplicol` and writes a JSON answer (second argument): either
``{"done": true}`` or ``{"error": class name, "message": text}``. A separate process keeps four things out of the
caller: the Python code of a UFO model, whatever the generator prints, its memory, and a generation that never ends.
It must not import `partonic`: it is run by its path, so that it starts quickly and without torch.
"""

import ctypes
import json
import signal
import sys
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def model_source(request: dict[str, Any]) -> Any:
    """Return the model as the generator wants it: with its kernels compiled once and kept for other processes."""
    from pyamplicol import ModelSource
    from pyamplicol.config.models import EvaluatorConfig

    source = ModelSource.from_path(request["model"], restriction=request["restriction"])
    prepared = Path(request["prepared_model"])
    if source.kind == "prepared":
        return source
    if not prepared.is_file():
        partial = prepared.with_name(f".partial-{prepared.name}")
        source.compile(cache_dir=request["model_cache"], prepared_output=partial, evaluator=EvaluatorConfig())
        partial.replace(prepared)
    return ModelSource.from_path(prepared)


def particle_names(model: Any) -> dict[int, str]:
    """Return the names of the model's particles by their PDG identifiers."""
    from pyamplicol.models.loading import load_compiled_model

    particles: Any = load_compiled_model(model.path).model["particles"]
    return {int(particle["pdg_code"]): str(particle["name"]) for particle in particles}


def expression(request: dict[str, Any], names: dict[int, str]) -> str:
    """Return the process as the generator writes it, e.g. ``g g > t t~ H``."""
    if isinstance(request["process"], str):
        return str(request["process"])
    unknown = sorted({pdg for side in request["process"] for pdg in side} - names.keys())
    if unknown:
        raise ValueError(f"the model has no particle with PDG identifier {', '.join(map(str, unknown))}")
    return " > ".join(" ".join(names[pdg] for pdg in side) for side in request["process"])


def generate(request: dict[str, Any], answer: dict[str, object]) -> None:
    """Generate the artifact that the request describes; note the particles of the model in the answer."""
    from pyamplicol import ColorConfig, GenerationConfig, Generator, RunConfig
    from pyamplicol.config.models import Action, ColorAccuracy, CouplingOrderPolicy, ProcessConfig

    orders = request["orders"]
    policy = CouplingOrderPolicy.MINIMAL if orders is None else CouplingOrderPolicy.EXPLICIT
    config = RunConfig(
        action=Action.GENERATE,
        process=ProcessConfig(coupling_order_policy=policy, max_coupling_orders=orders or {}),
        color=ColorConfig(accuracy=ColorAccuracy(request["colour"])),
        generation=GenerationConfig(workers=1, emit_api_bundle=False),
    )
    model = model_source(request)
    names = {} if isinstance(request["process"], str) else particle_names(model)
    if names:
        answer["particles"] = ", ".join(f"{name} ({pdg})" for pdg, name in sorted(names.items()))
    Generator(config).generate(expression(request, names), request["output"], model=model)


def end_with_parent() -> None:
    """Ask Linux to stop this process when the one that started it dies, so that no generation is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(request_path: str, answer_path: str) -> None:
    """Answer the request in one file with the outcome in another."""
    end_with_parent()
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    answer: dict[str, object] = {}
    try:
        generate(request, answer)
        answer["done"] = True
    except Exception as error:  # noqa: BLE001 - a UFO model may raise anything; the caller reports it by name
        answer |= {"error": type(error).__name__, "message": str(error)}
    Path(answer_path).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
