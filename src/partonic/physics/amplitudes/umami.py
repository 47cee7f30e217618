"""Squared matrix elements from a shared library with the UMAMI interface, called through ctypes.

UMAMI is the C interface between matrix elements and event generators of MadGraph (from version 7 on, also written by
its C++/GPU plugin and by pyAmpliCol); see the "UMAMI API" page of the MadSpace manual. The functions used here are

    umami_get_meta(key, int *result)                     number of particles
    umami_initialize(void **handle, char *param_card)    an instance with its own parameters
    umami_set_parameter(handle, name, real, imaginary)   optional
    umami_matrix_element(handle, count, stride, offset, n_in, in_keys, inputs, n_out, out_keys, outputs)
    umami_free(handle)

Arrays are column-major with the event index running fastest: momenta[event + stride (particle + n component)], with
components (E, px, py, pz) in GeV and incoming particles first. Without random numbers for helicity and colour the
result is |M|² averaged over initial and summed over final spins and colours, in GeV^(4−2n). Instances are independent;
one instance is used by one thread at a time.
"""

import ctypes
import threading
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow, checked_momenta, checked_squares
from partonic.physics.amplitudes.shared_library import first_symbol, open_library

__all__ = ["UmamiMatrixElement"]

_SUCCESS, _NOT_IMPLEMENTED, _UNSUPPORTED_INPUT = 0, 2, 3
_META_PARTICLE_COUNT = 1
_IN_MOMENTA, _IN_ALPHA_S, _IN_FLAVOUR = 0, 1, 2
_OUT_MATRIX_ELEMENT = 0
_STRONG_COUPLING = "aS"


class UmamiMatrixElement:
    """|M|² of one process from a library with the UMAMI interface.

    Args:
        library: the shared library.
        particles: PDG identifiers in the order in which the library takes the momenta, incoming first.
        parameter_card: what the library initialises from: a parameter card for MadGraph, the artifact's folder for
            pyAmpliCol.
        trust_library: consent to run the code of the library.
        parameters: values of parameters to set; ``aS`` is α_s, passed with each call (default 0.118).
        flavour: index of the flavour combination, for libraries that hold several.

    Attributes:
        particles: see above.
        colour_flows: empty; the interface draws colours itself and gives no weights of flows.

    Raises:
        ProcessError: if the library is missing, unusable, for another number of particles, or consent is missing.
        ParameterError: if a parameter cannot be set.
    """

    colour_flows: tuple[ColourFlow, ...] = ()

    def __init__(
        self,
        library: Path,
        particles: Sequence[int],
        parameter_card: Path,
        *,
        trust_library: bool = False,
        parameters: Mapping[str, float] | None = None,
        flavour: int = 0,
    ) -> None:
        self.particles = tuple(particles)
        self._path = library.resolve()
        handle = open_library(library, trust_library)
        self._handle, self._flavour, self._turn = handle, flavour, threading.Lock()
        functions = ("umami_get_meta", "umami_initialize", "umami_matrix_element", "umami_free")
        meta, initialize, self._evaluate, free = (first_symbol(handle, library, [name]) for name in functions)
        self._evaluate.argtypes = [
            ctypes.c_void_p, *[ctypes.c_size_t] * 4, ctypes.c_void_p, ctypes.c_void_p,
            ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        count = ctypes.c_int()
        self._check(meta(_META_PARTICLE_COUNT, ctypes.byref(count)), "tell its number of particles")
        if count.value != len(self.particles):
            raise ProcessError(
                f"{library} has {count.value} particles, but {len(self.particles)} were named: {particles}"
            )
        self._instance = ctypes.c_void_p()
        self._check(initialize(ctypes.byref(self._instance), str(parameter_card).encode()), f"read {parameter_card}")
        weakref.finalize(self, free, self._instance)
        self._values: dict[str, float] = {_STRONG_COUPLING: 0.118}
        self._needs_alpha_s = False
        self.set_parameters(parameters or {})

    @property
    def parameters(self) -> dict[str, float]:
        """α_s and the parameters that were set; the interface does not list the others."""
        return dict(self._values)

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give parameters new values; ``aS`` is kept here and passed with each call.

        Raises:
            ParameterError: if the library does not know the name, cannot change parameters, or a value is not finite.
        """
        for name, value in values.items():
            if not np.isfinite(value):
                raise ParameterError(f"parameter '{name}' must be finite, got {value}")
            if name == _STRONG_COUPLING:
                self._needs_alpha_s = True
            else:
                self._set(name, value)
            self._values[name] = float(value)

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours.

        Args:
            momenta: (E, px, py, pz) in GeV in the order of `particles`, float64.

        Raises:
            ProcessError: if the momenta have the wrong shape or type, or the library reports a failure.
            NonFiniteError: if the library returns a value that is not finite.
        """
        points = checked_momenta(momenta, self.particles, self._path.name)
        size = len(points)
        inputs = {
            _IN_MOMENTA: np.ascontiguousarray(points.transpose(2, 1, 0)),  # component, particle, event
            _IN_ALPHA_S: np.full(size, self._values[_STRONG_COUPLING]),
            _IN_FLAVOUR: np.full(size, self._flavour, dtype=np.int32),
        }
        values = np.zeros(size)
        with self._turn:
            self._call(inputs, values)
        return checked_squares(torch.from_numpy(values), self._path.name).to(momenta.device)

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Raise: the interface gives no weights of colour flows.

        Raises:
            ProcessError: always.
        """
        raise ProcessError(f"{self._path} gives no colour flows for {list(self.particles)}: use the external generator")

    def _call(self, inputs: dict[int, np.ndarray], values: np.ndarray) -> None:
        status = _UNSUPPORTED_INPUT
        accepted = [[*inputs], [_IN_MOMENTA, _IN_ALPHA_S]]  # a library need not know about flavours
        if not self._needs_alpha_s:
            accepted.append([_IN_MOMENTA])
        for keys in accepted:
            status = self._evaluate(
                self._instance, len(values), len(values), 0,
                len(keys), (ctypes.c_int * len(keys))(*keys),
                (ctypes.c_void_p * len(keys))(*(inputs[key].ctypes.data for key in keys)),
                1, (ctypes.c_int * 1)(_OUT_MATRIX_ELEMENT), (ctypes.c_void_p * 1)(values.ctypes.data),
            )  # fmt: skip
            if status != _UNSUPPORTED_INPUT:
                break
        self._check(status, f"evaluate {len(values)} events")

    def _set(self, name: str, value: float) -> None:
        if not hasattr(self._handle, "umami_set_parameter"):
            raise ParameterError(f"{self._path} cannot change parameters; change '{name}' on the parameter card")
        function = self._handle.umami_set_parameter
        function.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double, ctypes.c_double]
        with self._turn:
            status = function(self._instance, name.encode(), float(value), 0.0)
        if status == _NOT_IMPLEMENTED:
            raise ParameterError(f"{self._path} cannot change parameters; change '{name}' on the parameter card")
        if status != _SUCCESS:
            raise ParameterError(f"{self._path} refused to set '{name}' to {value} (UMAMI status {status})")

    def _check(self, status: int, doing: str) -> None:
        if status != _SUCCESS:
            raise ProcessError(f"{self._path} failed to {doing} (UMAMI status {status})")
