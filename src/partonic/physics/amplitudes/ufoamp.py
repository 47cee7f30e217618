"""Squared matrix elements of a UFO model in pure Python, through `ufoamp` (recursion over the vertices of the model).

Slower than a generated matrix element by orders of magnitude, but it knows Epsilon tensors, contact terms of coloured
particles and effective operators, so it serves where `ufo` cannot build a process. Two of its habits are avoided here:
helicities that vanish at one point are not left out afterwards (it would keep that choice when couplings change), and
masses of light quarks are those of the model and its card (it would set them to zero unasked).
"""

import ast
import difflib
import importlib.util
import itertools
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import DependencyError, ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow, checked_momenta, checked_squares

__all__ = ["PythonMatrixElement", "load_model"]

_NUMBERS_OF_A_CURRENT = 200_000
"""Events times helicities of one pass: bounds the memory, and is enough for NumPy to work at its best."""


def load_model(folder: Path, *, trust_model_code: bool = False) -> Any:
    """Return a UFO model; its Python files are run.

    Args:
        folder: of the model.
        trust_model_code: consent to that.

    Raises:
        DependencyError: if `ufoamp` is not installed.
        ProcessError: if consent is missing, there is no model, or its files cannot be run or understood.
    """
    if importlib.util.find_spec("ufoamp") is None:
        message = "the engine 'ufoamp' needs the package of that name: pip install 'partonic[ufo]'"
        raise DependencyError(message)
    if not (folder / "vertices.py").is_file():
        raise ProcessError(
            f"{folder} is no UFO model: expected a folder of Python files with vertices.py (a serialized model, .json, "
            "is for the engine pyamplicol)"
        )
    if not trust_model_code:
        raise ProcessError(
            f"{folder} is a UFO model: a Python program that runs with your rights when it is loaded. Read it or make "
            "sure where it comes from, then consent (trust_model_code=True)"
        )
    from ufoamp.ufo_model import load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves the files that it has read to be closed
            model = load(str(folder.resolve()))
    except Exception as error:  # a model may raise anything
        raise ProcessError(f"the UFO model {folder} cannot be loaded: {type(error).__name__}: {error}") from error
    _check_expressions(model, folder)
    return model


def _check_expressions(model: Any, folder: Path) -> None:
    """Refuse expressions with unknown names: `ufoamp` takes an expression that fails for zero, without a word.

    Raises:
        ProcessError: naming the first of them.
    """
    from ufoamp.couplings import _namespace

    known = {*_namespace(), *(parameter.name for parameter in model.parameters)}
    inner = [(each.name, str(each.value)) for each in model.parameters if each.nature == "internal"]
    for name, text in (*inner, *((coupling.name, coupling.value) for coupling in model.couplings)):
        try:
            used = {node.id for node in ast.walk(ast.parse(text, mode="eval")) if isinstance(node, ast.Name)}
        except SyntaxError as error:
            raise ProcessError(f"{folder}: '{name}' of the UFO model is no expression: {text}") from error
        if unknown := sorted(used - known):
            raise ProcessError(
                f"{folder}: '{name}' of the UFO model uses {', '.join(unknown)}, which ufoamp does not know: use "
                "another engine"
            )


class PythonMatrixElement:
    """|M|² of one process, see the module.

    Args:
        model: of `load_model`.
        particles: PDG identifiers of the two initial and then the final particles.
        restriction: name of the restriction card; None for the default card of the model.
        orders: largest power of each coupling order in the amplitude, e.g. ``{"NP": 1}``; None: no limit.
        parameters: values of external parameters that differ from the model's.

    Attributes:
        particles: see above.
        colour_flows: empty; nothing is known of them.

    Raises:
        ProcessError: if the model lacks a particle or the card, or cannot be used.
        ParameterError: if a parameter is unknown.
    """

    colour_flows: tuple[ColourFlow, ...] = ()

    def __init__(
        self,
        model: Any,
        particles: tuple[int, ...],
        *,
        restriction: str | None = None,
        orders: Mapping[str, int] | None = None,
        parameters: Mapping[str, float] | None = None,
    ) -> None:
        from ufoamp.analysis import MatrixElement

        self.particles = particles
        self._names = {each.name: each for each in model.parameters if each.nature != "internal"}
        _check_particles(model, particles)
        try:
            self._element = MatrixElement(
                model, (list(particles[:2]), list(particles[2:])), couplings=self._checked(parameters or {}),
                massless_light_quarks=False, restrict=restriction or "default",
            )  # fmt: skip
        except FileNotFoundError as error:
            cards = sorted(path.stem for path in Path(model.path).glob("restrict_*.dat"))
            raise ProcessError(
                f"the model {model.path} has no restriction card '{restriction}'; it has: {', '.join(cards) or 'none'}"
            ) from error
        except (KeyError, ValueError, NotImplementedError) as error:
            raise ProcessError(f"ufoamp cannot use the model {model.path} for {list(particles)}: {error}") from error
        if unknown := sorted(set(orders or {}) - set(model.orders)):
            raise ProcessError(
                f"the model {model.path} has no coupling order {', '.join(unknown)}; it has: {', '.join(model.orders)}"
            )
        if orders:
            self._element.set_amp_orders({name: (0, power) for name, power in orders.items()})
        choices = self._element.helicity_sets()
        self._helicities = list(itertools.product(*choices))
        self._averaged = len(choices[0]) * len(choices[1])

    @property
    def parameters(self) -> dict[str, float]:
        """The external parameters with their present values."""
        return {name: float(np.real(self._element.param(name))) for name in self._names}

    @property
    def masses(self) -> tuple[float, ...]:
        """Masses of the particles at the present parameters, GeV, in the order of `particles`."""
        return tuple(abs(float(self._element.proc.amp.mass(pdg))) for pdg in self.particles)

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give external parameters new values; whatever the model derives from them follows.

        Raises:
            ParameterError: if a name is no external parameter of the model, or a value is not finite.
        """
        self._element.set_param(self._checked(values))

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|², averaged over initial and summed over final spins and colours, in GeV^(4−2n).

        Args:
            momenta: (E, px, py, pz) in GeV, incoming first, in the order of `particles`, on shell; float64.

        Raises:
            ProcessError: if the momenta have the wrong shape or type, or the model has what `ufoamp` cannot evaluate.
            NonFiniteError: if a result is not finite.
        """
        what = " ".join(map(str, self.particles))
        points = checked_momenta(momenta, self.particles, what)
        size = max(1, _NUMBERS_OF_A_CURRENT // (len(self._helicities) * 8 ** self.particles.count(21)))
        try:
            blocks = [self._summed(points[start : start + size]) for start in range(0, len(points), size)]
        except (KeyError, ValueError, NotImplementedError, IndexError) as error:
            raise ProcessError(f"ufoamp cannot evaluate {what}: {type(error).__name__}: {error}") from error
        identical = math.prod(math.factorial(self.particles[2:].count(pdg)) for pdg in set(self.particles[2:]))
        values = np.concatenate([np.zeros(0), *blocks]) / (identical * self._averaged)
        return checked_squares(torch.from_numpy(values), what).to(momenta.device)

    def _summed(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return |M|² summed over all helicities and colours, averaged over initial colours, `(N,)`."""
        process: Any = self._element.proc
        values = np.real(np.asarray(process.amp.m2_color(process.legs_batch(points, self._helicities))))
        if values.ndim == 0:  # there is no amplitude at all, at these parameters or at any
            return np.zeros(len(points))
        summed: NDArray[np.float64] = values.reshape(len(points), len(self._helicities)).sum(axis=1)
        return summed

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Raise: nothing is known of colour flows.

        Raises:
            ProcessError: always.
        """
        raise ProcessError(f"ufoamp gives no colour flows for {list(self.particles)}: use the external generator")

    def _checked(self, values: Mapping[str, float]) -> dict[str, float]:
        for name, value in values.items():
            if name not in self._names:
                near = difflib.get_close_matches(name, self._names, n=3, cutoff=0.5)
                hint = f" (did you mean {' or '.join(near)}?)" if near else ""
                raise ParameterError(
                    f"'{name}' is no external parameter of the model{hint}. It has: {', '.join(sorted(self._names))}"
                )
            if not math.isfinite(value):
                raise ParameterError(f"parameter '{name}' must be finite, got {value}")
        return {name: float(value) for name, value in values.items()}


def _check_particles(model: Any, particles: tuple[int, ...]) -> None:
    known = {particle.pdg: particle.name for particle in model.particles}
    if missing := sorted(set(particles) - known.keys()):
        listed = ", ".join(f"{name} ({pdg})" for pdg, name in sorted(known.items(), key=lambda item: abs(item[0])))
        raise ProcessError(
            f"the model {model.path} has no particle with PDG id {', '.join(map(str, missing))}, which the process "
            f"{' '.join(map(str, particles[:2]))} > {' '.join(map(str, particles[2:]))} needs; it has: {listed}"
        )
