"""What every reader gives, and what all readers share: the stated process, θ points and extra weights."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray

from partonic.config.importing import ImportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.weights import ThetaWeights, theta_weights, weights_to_coefficients
from partonic.provenance import package_versions

__all__ = [
    "CoefficientSolver",
    "EventSource",
    "Residual",
    "expanded_files",
    "fixed_lists",
    "imported_process",
    "kept_weights",
    "source_metadata",
    "stated_points",
]

Array = NDArray[np.float64]

_NAMES = {1: "d", 2: "u", 3: "s", 4: "c", 5: "b", 6: "t", 11: "e-", 13: "mu-", 15: "tau-", 12: "nu_e", 14: "nu_mu",
          16: "nu_tau", 21: "g", 22: "gamma", 23: "Z", 24: "W+", 25: "H"}  # fmt: skip
_NOMINAL = "nominal weight"
_CHARGED_ANTI = {-11: "e+", -13: "mu+", -15: "tau+", -24: "W-"}


@dataclass
class Residual:
    """How well the weights at θ points follow the polynomial in θ, over the events read so far.

    Attributes:
        largest: largest relative residual of an event.
    """

    largest: float = 0.0


@dataclass(frozen=True)
class EventSource:
    """Events of a file in the columns of the store, read when iterated.

    Attributes:
        metadata: metadata of a store of these events; the cut flow and the cross section are still empty.
        tables: the events, some thousand at a time, in the order of the file.
        num_events: number of events.
        cuts: names of the cuts whose index the column `cut` holds.
        residual: filled while the tables are read.
    """

    metadata: StoreMetadata
    tables: Iterator[pa.Table]
    num_events: int
    cuts: tuple[str, ...] = ()
    residual: Residual = field(default_factory=Residual)


def imported_process(config: ImportConfig, process: ProcessInfo) -> ProcessInfo:
    """Return the process of the imported events: name and partons may differ from those of the analysis."""
    info = process if config.sample is None else replace(process, name=config.sample)
    if config.partons is None:
        return info
    names = tuple(_parton_name(pdg) for pdg in config.partons)
    return replace(info, parton_names=names, parton_pdg=config.partons)


def _parton_name(pdg: int) -> str:
    if pdg in _CHARGED_ANTI:
        return _CHARGED_ANTI[pdg]
    name = _NAMES.get(abs(pdg), f"pdg{abs(pdg)}")
    return name if pdg > 0 else f"{name}bar"


def stated_points(config: ImportConfig) -> Mapping[str, Mapping[str, float]]:
    """Return the θ points of the weights that the user states, from the section or from its file.

    Raises:
        ConfigError: if the file cannot be read or is not a mapping from weight ids to θ.
    """
    path = config.weight_points_file
    if path is None:
        return config.weight_points
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {str(name): {key: float(value) for key, value in point.items()} for name, point in content.items()}
    except OSError as error:
        raise ConfigError(f"cannot read weight_points_file {path}: {error.strerror or error}") from error
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: expected a mapping from weight ids to θ points, such as `rwgt_1: {{c_tG: 0.5}}`; {error}"
        ) from error


def kept_weights(config: ImportConfig, names: Sequence[str]) -> list[str]:
    """Return those of the extra weights that a pattern of `extra_weights` matches, in their order."""
    return [name for name in names if any(fnmatch.fnmatchcase(name, pattern) for pattern in config.extra_weights)]


@dataclass(frozen=True)
class CoefficientSolver:
    """Gives events their coefficients of θ.

    Attributes:
        config: the section `import`.
        process: process of the events.
        weights: which weights of the file sit at known θ.
        residual: filled while events are solved.
    """

    config: ImportConfig
    process: ProcessInfo
    weights: ThetaWeights
    residual: Residual = field(default_factory=Residual)

    @classmethod
    def of(
        cls, config: ImportConfig, process: ProcessInfo, descriptions: Mapping[str, str], where: str
    ) -> "CoefficientSolver":
        """Find the weights at θ points among those that a file declares (text by identifier).

        Raises:
            EventFileError: if they do not determine the coefficients.
        """
        monomials = process.monomials
        if config.theta_independent or not monomials.parameters:
            if not any(not any(powers) for powers in monomials.exponents):
                raise EventFileError(f"{where}: events without θ need the constant monomial, the process has none")
            return cls(config, process, ThetaWeights((), np.zeros((0, len(monomials.parameters)))))
        extra = {_NOMINAL: monomials.point(config.theta)} if config.nominal_is_point else {}
        return cls(config, process, theta_weights(descriptions, monomials, stated_points(config), where, extra))

    @property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the weights of the file that the solver needs; the nominal weight is not among them."""
        return tuple(name for name in self.weights.names if name != _NOMINAL)

    def solve(self, nominal: Array, values: Array, event_ids: NDArray[np.int64]) -> Array:
        """Return coefficients `(N, A)` in pb.

        Args:
            nominal: nominal weights in pb, `(N,)`.
            values: weights at the θ points of `names`, in pb, `(N, B)`.
            event_ids: numbers of the events, `(N,)`.

        Raises:
            EventFileError: if the weights of an event are not finite, or follow no polynomial.
        """
        monomials = self.process.monomials
        if not self.weights.names:
            constant = [not any(powers) for powers in monomials.exponents]
            return nominal[:, None] * np.array(constant, dtype=np.float64)
        if self.config.nominal_is_point:
            values = np.concatenate([values, nominal[:, None]], axis=1)
        limit = self.config.max_residual
        coefficients, largest = weights_to_coefficients(monomials, self.weights, values, event_ids, limit)
        self.residual.largest = max(self.residual.largest, largest)
        return coefficients


def source_metadata(
    config: ImportConfig,
    process: ProcessInfo,
    weight_names: Sequence[str],
    num_events: int,
    facts: Mapping[str, object],
) -> StoreMetadata:
    """Return the metadata of a store of imported events."""
    files = ", ".join(path.name for path in config.files)
    return StoreMetadata.for_process(
        process,
        weight_names=tuple(weight_names),
        theta=config.theta,
        n_generated=num_events,
        config={"import": config.model_dump(mode="json")},
        versions=package_versions(),
        source=f"{config.format}: {files}",
        facts=dict(facts),
    )


def fixed_lists(values: NDArray[np.generic], kind: pa.DataType) -> pa.FixedSizeListArray:
    """Return an array `(N, length)` as Arrow lists of fixed length."""
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind)
    if values.shape[1] == 0:
        return pa.nulls(len(values), pa.list_(kind, 0))
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def expanded_files(config: ImportConfig) -> Iterator[Path]:
    """Yield the files of the sample.

    Raises:
        EventFileError: if one does not exist.
    """
    for path in config.files:
        if not path.is_file():
            raise EventFileError(f"event file {path} not found (import.files)")
        yield path
