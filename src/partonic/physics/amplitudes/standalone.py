"""Squared matrix elements from a MadGraph5_aMC@NLO `output standalone` library in Fortran, called through ctypes.

Two kinds of library are understood, told apart by their symbols (`<p>` is the optional prefix of `--prefix`):

- one process: ``<p>smatrix_(double p[n][4], double *ans)``;
- all processes of an output (`all_matrix.f`): ``smatrixhel_(int *pdgs, int *procid, int *n, double p[n][4],
  double *alphas, double *scale2, int *nhel, double *ans)``, or ``f77_smatrixhel_``, recognised by ``get_pdg_order_``.

Both read their parameters with ``initialise_(char[512], size_t)`` or ``setpara_(char*, size_t)`` from a parameter card.
A Fortran array P(0:3, n) is column-major: in memory particle by particle, each (E, px, py, pz) in GeV with the incoming
particles first and with positive energy, which is just a C-contiguous (n, 4) array. `ans` is |M|² averaged over initial
and summed over final spins and colours, 1/k! for k identical final particles included, in GeV^(4−2n). Parameters,
α_s = ``aS`` among them, are changed by writing a changed card and having the library read it again, which updates all
couplings.

The library keeps its parameters and work space in common blocks: one set for the whole process. Calls from all threads
therefore take turns, and when two objects use one library each restores its own parameters before it evaluates.
"""

import ctypes
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from partonic.errors import ProcessError
from partonic.physics.amplitudes.amplitude import ColourFlow, checked_momenta, checked_squares
from partonic.physics.amplitudes.parameter_card import ParameterCard
from partonic.physics.amplitudes.shared_library import first_symbol, open_library

__all__ = ["StandaloneMatrixElement"]

_STRING_LENGTH = 512  # CHARACTER*512 of `initialise`; longer than any path that Fortran would take
_SUM_OVER_HELICITIES = -1
_FORTRAN = threading.RLock()
_USERS: dict[Path, int] = {}
"""Which object last gave its parameters to each library."""

_Points = NDArray[np.float64]


class StandaloneMatrixElement:
    """|M|² of one process from a MadGraph standalone library. See the module for the symbols and conventions.

    Args:
        library: the shared library.
        particles: PDG identifiers in the order in which the library takes the momenta, incoming first.
        parameter_card: the card of the model, ``Cards/param_card.dat``.
        trust_library: consent to run the code of the library.
        prefix: prefix of the symbols of a one-process library, e.g. ``"m0_"``.
        process_id: `procid` of a library with all processes; −1 takes the first that has these particles.

    Attributes:
        particles: see above.
        colour_flows: empty; this interface does not give colour-ordered pieces.

    Raises:
        ProcessError: if library or card are missing or unusable, or consent is missing.
    """

    colour_flows: tuple[ColourFlow, ...] = ()

    def __init__(
        self,
        library: Path,
        particles: Sequence[int],
        parameter_card: Path,
        *,
        trust_library: bool = False,
        prefix: str = "",
        process_id: int = -1,
    ) -> None:
        self.particles = tuple(particles)
        self._path = library.resolve()
        self._card = ParameterCard.read(parameter_card)
        self._values: dict[str, float] = {}
        handle = open_library(library, trust_library)
        if hasattr(handle, f"{prefix}get_flavor_index_"):
            raise ProcessError(
                f"{library} takes a flavour index besides the momenta (MadGraph from 2025 on), which this interface "
                "does not pass; build the library with its UMAMI interface and use UmamiMatrixElement"
            )
        self._read_card = first_symbol(handle, library, ("initialise_", f"{prefix}setpara_", "setpara_"))
        self._read_card.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
        self._read_card.restype = None
        self._evaluate: Callable[[_Points, _Points], None] = (
            self._all_processes(handle, process_id)
            if hasattr(handle, "get_pdg_order_") or hasattr(handle, "f77_get_pdg_order_")
            else self._one_process(handle, prefix)
        )
        self.set_parameters({})

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the card with their present values."""
        return {**self._card.values, **self._values}

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give parameters new values, by the names on the card (``MT``) or as ``BLOCK_code`` (``MASS_6``).

        Raises:
            ParameterError: if a name is not on the card, or a value is not finite.
        """
        changed = {**self._values, **{self._card.name(name): float(value) for name, value in values.items()}}
        text = self._card.changed(changed)
        self._values = changed
        self._give(text)

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours.

        Args:
            momenta: (E, px, py, pz) in GeV in the order of `particles`, float64.

        Raises:
            ProcessError: if the momenta have the wrong shape or type.
            NonFiniteError: if the library returns a value that is not finite.
        """
        points = checked_momenta(momenta, self.particles, self._path.name)
        values = np.zeros(len(points))
        with _FORTRAN:
            if _USERS.get(self._path) != id(self):
                self._give(self._card.changed(self._values))
            self._evaluate(points, values)
        return checked_squares(torch.from_numpy(values), self._path.name).to(momenta.device)

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Raise: a standalone library gives no colour-ordered pieces.

        Raises:
            ProcessError: always.
        """
        raise ProcessError(f"{self._path} gives no colour flows for {list(self.particles)}: use the external generator")

    def _give(self, card: str) -> None:
        """Have the library read a card."""
        with _FORTRAN, tempfile.TemporaryDirectory(prefix="partonic-") as folder:
            path = Path(folder) / "param_card.dat"
            path.write_text(card, encoding="utf-8")
            text = str(path).encode()
            if len(text) > _STRING_LENGTH:
                raise ProcessError(f"the path of temporary files is too long for Fortran ({len(text)} > 512): {path}")
            self._read_card(text.ljust(_STRING_LENGTH), _STRING_LENGTH)  # Fortran pads strings with blanks
            _USERS[self._path] = id(self)

    def _one_process(self, handle: ctypes.CDLL, prefix: str) -> Callable[[_Points, _Points], None]:
        function = first_symbol(handle, self._path, (f"{prefix}smatrix_",))
        function.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        function.restype = None

        def evaluate(points: _Points, values: _Points) -> None:
            for index in range(len(points)):
                function(points[index].ctypes.data, values[index : index + 1].ctypes.data)

        return evaluate

    def _all_processes(self, handle: ctypes.CDLL, process_id: int) -> Callable[[_Points, _Points], None]:
        function = first_symbol(handle, self._path, ("f77_smatrixhel_", "smatrixhel_"))
        function.argtypes = [ctypes.c_void_p] * 8
        function.restype = None
        pdgs = (ctypes.c_int * len(self.particles))(*self.particles)
        numbers = [ctypes.c_int(value) for value in (process_id, len(self.particles), _SUM_OVER_HELICITIES)]
        identifier, count, helicity = (ctypes.byref(number) for number in numbers)
        unused_scale = ctypes.c_double(0.0)  # only for loop-induced processes

        def evaluate(points: _Points, values: _Points) -> None:
            alpha_s = ctypes.c_double(self.parameters.get("aS", 0.0))
            for index in range(len(points)):
                function(
                    pdgs, identifier, count, points[index].ctypes.data, ctypes.byref(alpha_s),
                    ctypes.byref(unused_scale), helicity, values[index : index + 1].ctypes.data,
                )  # fmt: skip

        return evaluate
