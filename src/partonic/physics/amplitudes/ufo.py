"""Squared matrix elements of any UFO or serialized model, through the external generator `pyamplicol`.

The generator (current recursion, full colour, tree level) writes an artifact once, see `artifacts`; the artifact is
compiled at run time and evaluated here without the generator. It knows |M|² at the parameter values of the moment;
`morphed.MorphedAmplitude` turns that into coefficients of the theory parameters.

What to know about the generator: couplings that a model's restriction card sets to zero cannot be switched on later;
tree level only; no Epsilon tensors; 1/k! of k identical final particles is included; no gradients flow through it.
"""

import difflib
import importlib
import json
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow, checked_momenta, checked_squares
from partonic.physics.amplitudes.artifacts import ArtifactRequest, ExternalModel, GenerationOptions, require_generator
from partonic.physics.amplitudes.colour_words import colour_flow

__all__ = ["ExternalMatrixElement", "ExternalModel", "GenerationOptions"]

_IMPORTING = threading.Lock()
_BLOCK = 256
"""Points that a thread evaluates at a time, whatever the number of threads, so that results do not depend on it."""

Process = str | tuple[tuple[int, ...], tuple[int, ...]]


class ExternalMatrixElement:
    """|M|² of one process, evaluated by a generated artifact.

    Every thread that uses an object gets an evaluator of its own, since the library's must not leave their thread.

    Args:
        artifact: folder of the artifact with the whole colour sum.
        flows: folder of the leading-colour artifact of the same process, or None when no flows are wanted.
        parameters: values of the model's parameters that differ from the model's own, see `set_parameters`.
        threads: how many threads share the points of one call.

    Attributes:
        process: as the model writes it, e.g. ``"g g > t t~ H"``.
        particles: PDG identifiers of the two initial and then the final particles, in the order of the momenta.
        colour_flows: the colour flows, empty without `flows`.
    """

    def __init__(
        self,
        artifact: Path,
        *,
        flows: Path | None = None,
        parameters: Mapping[str, float] | None = None,
        threads: int = 1,
    ) -> None:
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        if self._pool is not None:
            # Evaluators must be dropped by the thread that made them: the threads end before this object does.
            weakref.finalize(self, self._pool.shutdown)
        self._folders = {"full": artifact} if flows is None else {"full": artifact, "lc": flows}
        self._of_thread = threading.local()
        self._changes: tuple[int, dict[str, float]] = (0, {})  # replaced as a whole, so that threads see it whole
        physics = self._evaluator("full").physics
        self.process: str = physics.process
        self.particles: tuple[int, ...] = tuple(int(leg.pdg_id) for leg in physics.external_particles)
        self.colour_flows: tuple[ColourFlow, ...] = () if flows is None else self._read_flows(flows)
        self._defaults: dict[str, float] = {
            parameter.name: float(parameter.default_real) for parameter in physics.model_parameters if parameter.mutable
        }
        self.set_parameters(parameters or {})

    @classmethod
    def generate(
        cls,
        process: Process,
        model: ExternalModel | None = None,
        *,
        parameters: Mapping[str, float] | None = None,
        colour_flows: bool = True,
        options: GenerationOptions | None = None,
        threads: int = 1,
    ) -> "ExternalMatrixElement":
        """Return the matrix element of `process`, generated now or found in the cache.

        Args:
            process: in the names of the model, ``"g g > t t~ H"``, or as PDG identifiers, ``((21, 21), (6, -6, 25))``.
            model: the model; the Standard Model by default.
            parameters: values of external parameters that differ from the model's, see `set_parameters`.
            colour_flows: also generate the leading-colour pieces from which the colour flow of an event is drawn.
            options: coupling orders, limits and cache folder.
            threads: how many threads share the points of one call.

        Raises:
            DependencyError: if the generator is not installed.
            ProcessError: if the process has no amplitude, the model is unusable or needs consent, or generation fails.
            ParameterError: if a parameter is unknown.
            OutputError: if the cache cannot be written.
        """
        chosen, limits = model or ExternalModel(), options or GenerationOptions()
        artifact = ArtifactRequest(process, chosen, "full", limits).artifact()
        flows = ArtifactRequest(process, chosen, "lc", limits).artifact() if colour_flows else None
        return cls(artifact, flows=flows, parameters=parameters, threads=threads)

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters that can be set, with their present values (GeV, GeV⁻² or without unit, as in the model)."""
        return {**self._defaults, **self._changes[1]}

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give external parameters new values; whatever the model derives from them follows.

        Raises:
            ParameterError: if a name is no external parameter of the model, or a value is not finite.
        """
        for name, value in values.items():
            if name not in self._defaults:
                near = difflib.get_close_matches(name, self._defaults, n=3, cutoff=0.5)
                hint = f" (did you mean {' or '.join(near)}?)" if near else ""
                raise ParameterError(
                    f"'{name}' is no external parameter of {self.process}{hint}. "
                    f"It has: {', '.join(sorted(self._defaults))}"
                )
            if not np.isfinite(value):
                raise ParameterError(f"parameter '{name}' must be finite, got {value}")
        number, changed = self._changes
        self._changes = (number + 1, {**changed, **{name: float(value) for name, value in values.items()}})

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|², averaged over initial and summed over final spins and colours, in GeV^(4−2n).

        Args:
            momenta: (E, px, py, pz) in GeV, the two incoming particles first, in the order of `particles`; float64, on
                shell with the masses of the parameters. Results carry no gradient.

        Raises:
            ProcessError: if the momenta have the wrong shape or type.
            NonFiniteError: if a result is not finite.
        """
        points = checked_momenta(momenta, self.particles, self.process)
        values = self._in_blocks(lambda block: _evaluate(self._evaluator("full"), block), points)
        return checked_squares(torch.from_numpy(values), self.process).to(momenta.device)

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each of the `colour_flows`; arguments and errors as in `squared`."""
        points = checked_momenta(momenta, self.particles, self.process)
        if "lc" not in self._folders:
            raise ProcessError(
                f"the matrix element of {self.process} was loaded without colour flows; generate it with "
                "colour_flows=True"
            )
        return checked_squares(torch.from_numpy(self._in_blocks(self._flows_of, points)), self.process).to(
            momenta.device
        )

    def _flows_of(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        evaluator = self._evaluator("lc")
        flows = evaluator.physics.color_flows
        return np.stack([_evaluate(evaluator, points, color_flows=[flow.id]) for flow in flows], axis=1)

    def _in_blocks(
        self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Apply a function to blocks of points, in the threads of this object; evaluation needs no Python lock."""
        if self._pool is None or len(points) <= _BLOCK:
            return function(points)
        blocks = [points[start : start + _BLOCK] for start in range(0, len(points), _BLOCK)]
        return np.concatenate(list(self._pool.map(function, blocks)))

    def _evaluator(self, colour: str) -> Any:
        """Return this thread's evaluator, at the present parameters."""
        evaluators: dict[str, tuple[int, Any]] = self._of_thread.__dict__
        number, changed = self._changes
        seen, evaluator = evaluators.get(colour) or (0, _load(self._folders[colour]))
        if seen != number:
            evaluator.set_model_parameters(changed)
        evaluators[colour] = (number, evaluator)
        return evaluator

    def _read_flows(self, folder: Path) -> tuple[ColourFlow, ...]:
        listing = json.loads((folder / "model" / "compiled-model.json").read_text(encoding="utf-8"))
        colours = {entry["pdg_code"]: entry["color"] for entry in listing["model"]["particles"]}
        legs = [int(colours[pdg]) for pdg in self.particles]
        return tuple(colour_flow(flow.word, legs) for flow in self._evaluator("lc").physics.color_flows)


def _library() -> Any:
    """Return `pyamplicol`, imported without Symbolica, which evaluation does not need.

    Without a licence, importing Symbolica takes the single process that a user is allowed on a machine, for as long as
    the importing process lives, and aborts the process if another one has it.
    """
    require_generator()
    with _IMPORTING:
        if "symbolica" in sys.modules:
            return importlib.import_module("pyamplicol")
        sys.modules["symbolica"] = None  # type: ignore[assignment]  # makes `import symbolica` raise, as if not installed
        try:
            return importlib.import_module("pyamplicol")
        finally:
            del sys.modules["symbolica"]


def _load(folder: Path) -> Any:
    """Return the evaluator of an artifact, refusing artifacts that bring machine code of their own."""
    pyamplicol = _library()
    manifest = folder / "artifact.json"
    if not manifest.is_file():
        raise ProcessError(f"{folder} is no generated matrix element: it has no artifact.json")
    if any(payload.get("executable") for payload in json.loads(manifest.read_text(encoding="utf-8"))["payloads"]):
        raise ProcessError(
            f"{folder} holds compiled machine code, which is not run unseen: generate the matrix element again, so "
            "that it is compiled here"
        )
    try:
        return pyamplicol.Runtime.load(folder, mute_warnings=True)
    except pyamplicol.PyAmpliColError as error:
        raise ProcessError(f"cannot load the generated matrix element in {folder}: {error}") from error


def _evaluate(evaluator: Any, points: np.ndarray[Any, np.dtype[np.float64]], **selection: Any) -> Any:
    if not len(points):
        return np.zeros(0)
    try:
        values = evaluator.evaluate(points, **selection)
    except _library().PyAmpliColError as error:
        raise ProcessError(f"the external matrix element cannot be evaluated: {error}") from error
    return np.fromiter(values, dtype=np.complex128, count=len(points)).real
