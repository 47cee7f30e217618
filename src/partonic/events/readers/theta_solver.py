"""From the weights of events at θ points to their coefficients, guarded by what must hold.

The polynomial at the θ of the generation must be the nominal weight of each event. Where it is off by one factor in all
events, the weights at the θ points are in other units (divided by the number of events, relative to the nominal one);
the factor is taken out and stated. Where there is no common factor, the points, the θ of the generation or the file are
wrong, and the sample is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.numbering import Numbering
from partonic.events.readers.source import NOMINAL, EventSource, stated_points
from partonic.events.readers.wild_weights import WildEvents
from partonic.events.schema import ProcessInfo, StoreMetadata
from partonic.events.weights import ThetaWeights, no_polynomial, parse_theta, solve_weights, theta_weights
from partonic.polynomial import Monomials

__all__ = ["CoefficientSolver"]

Array = NDArray[np.float64]

_ROUNDING = {False: 1e-5, True: 1e-4}
"""Relative rounding of weights as text with six digits or more, and of NanoAOD's, which keep 14 bits."""

_NOISE = 0.1
"""Share of the cross section that rounding may make of a coefficient at θ = 1 without a warning."""


_FEW = 10
"""Events; fewer may be wrong together."""

_OTHER_UNITS = 5.0
"""Ratio between weights at all θ points and the nominal ones beyond which the two hardly have the same units."""


@dataclass
class _Unit:
    """The unit of the weights at θ points, in units of the nominal weight; None until an event has told it.

    Attributes:
        factor: the unit.
        events: number of events that told it.
        first: number of the first of them.
    """

    factor: float | None = None
    events: int = 0
    first: int = 0


@dataclass(frozen=True)
class CoefficientSolver:
    """Gives events their coefficients of θ.

    Attributes:
        config: the section `import`.
        process: process of the events.
        weights: which weights of the file sit at known θ; the nominal one is last where it is a point.
        notes: told the unit of the weights and the residual.
        wild: told the events whose weights make no sense.
        relative: whether the weights of the file are relative to the nominal one.
    """

    config: ImportConfig
    process: ProcessInfo
    weights: ThetaWeights
    notes: Notes
    wild: WildEvents
    relative: bool = False
    _theta: Mapping[str, float] = field(default_factory=dict)
    _nominal_row: Array | None = None
    _inverse: Array = field(default_factory=lambda: np.zeros((0, 0)))
    _unit: _Unit = field(default_factory=_Unit)
    _noise: Array = field(default_factory=lambda: np.zeros((2, 0)))
    _sizes: Array = field(default_factory=lambda: np.zeros(0))

    @classmethod
    def of(
        cls,
        config: ImportConfig,
        process: ProcessInfo,
        descriptions: Mapping[str, str],
        where: str,
        *,
        numbering: Numbering,
        notes: Notes | None = None,
        relative: bool = False,
        theta: Mapping[str, float] | None = None,
    ) -> "CoefficientSolver":
        """Find the weights at θ points among those that a file declares.

        Args:
            config: the section `import`.
            process: process of the events.
            descriptions: text of each weight that the file declares, by identifier.
            where: name of the file, for messages.
            numbering: of the events of the sample.
            notes: collects facts and warnings.
            relative: whether this format has its weights relative to the nominal one, if the section does not say.
            theta: θ of the generation, if not that of the section.

        Raises:
            EventFileError: if they do not determine the coefficients.
            ParameterError: if a point names a parameter that the process does not have.
        """
        monomials = process.monomials
        wild = WildEvents(config.wild_weights, numbering)
        notes = notes if notes is not None else Notes()
        if config.theta_independent or not monomials.parameters:
            if not any(not any(powers) for powers in monomials.exponents):
                raise EventFileError(f"{where}: events without θ need the constant monomial, the process has none")
            none = ThetaWeights((), np.zeros((0, len(monomials.parameters))))
            return cls(config, process, none, notes, wild)
        theta = config.theta if theta is None else theta
        generation = monomials.point(theta)
        extra = {NOMINAL: generation} if config.nominal_is_point else {}
        weights = theta_weights(
            descriptions,
            monomials,
            stated_points(config),
            where,
            extra,
            max_condition=config.max_condition,
            standard_model=process.standard_model,
        )
        _compare_with_texts(weights, descriptions, monomials, notes)
        kind = config.theta_weight_kind
        names = [name for name in weights.names if name != NOMINAL]
        notes.facts["theta_weights"] = dict(zip(weights.names, weights.points.tolist(), strict=True))
        row = _nominal_row(monomials, weights.points[: len(names)], generation)
        if row is None:
            notes.facts["theta_weight_unit"] = "not checked: without the nominal weight the θ points determine nothing"
        relative = relative if kind == "auto" else kind == "relative"
        inverse: Array = np.linalg.pinv(monomials.evaluate(weights.points), rcond=0.0).astype(np.float64)
        noise = np.zeros((2, len(monomials)))
        sizes = np.zeros(1 + len(names))
        return cls(config, process, weights, notes, wild, relative, theta, row, inverse, _noise=noise, _sizes=sizes)

    @property
    def names(self) -> tuple[str, ...]:
        """Identifiers of the weights of the file that the solver needs; the nominal weight is not among them."""
        return tuple(name for name in self.weights.names if name != NOMINAL)

    def source(
        self, metadata: StoreMetadata, tables: Iterator[pa.Table], num_events: int, cuts: tuple[str, ...] = ()
    ) -> EventSource:
        """Return a source of events that this solver gives their coefficients.

        Args:
            metadata: of a store of the events.
            tables: the events.
            num_events: number of events.
            cuts: names of the cuts of the column `cut`.
        """
        points = self.weights.points
        return EventSource(metadata, tables, num_events, self.notes, self.wild, points, cuts, self.finish)

    def solve(self, nominal: Array, raw: Array, factor: Array | float, event_ids: NDArray[np.int64]) -> Array:
        """Return coefficients `(N, A)` in pb.

        Args:
            nominal: nominal weights in pb, `(N,)`.
            raw: weights at the θ points of `names`, as the file has them, `(N, B)`.
            factor: from the units of the file to pb, `(N,)` or one number.
            event_ids: numbers of the events in the sample, `(N,)`.

        Raises:
            EventFileError: if the weights of an event make no sense, and wild weights are errors; or if they have no
                common unit.
        """
        monomials = self.process.monomials
        if not self.weights.names:
            constant = [not any(powers) for powers in monomials.exponents]
            return nominal[:, None] * np.array(constant, dtype=np.float64)
        scale = nominal if self.relative else np.broadcast_to(np.asarray(factor, dtype=np.float64), nominal.shape)
        values = self._in_units(nominal, self._finite(scale[:, None] * raw, event_ids), event_ids)
        self._sizes[:] += np.abs(np.column_stack([nominal, values])).sum(axis=0)
        if self.config.nominal_is_point:
            values = np.concatenate([values, nominal[:, None]], axis=1)
        rounding = _ROUNDING[self.relative]
        solved = solve_weights(monomials, self.weights, values, self.config.max_residual, rounding)
        for row in np.flatnonzero(solved.no_polynomial):
            reason = f"its {no_polynomial(monomials, self.weights, float(solved.residual[row]))}"
            self.wild.flag(int(event_ids[row]), reason)
        self._note(solved.coefficients, solved.residual[~solved.no_polynomial], rounding * np.abs(values))
        return solved.coefficients

    def finish(self) -> None:
        """Note what is known after the last event; warn where coefficients are noise.

        Raises:
            EventFileError: if wild events are no exceptions.
        """
        self.wild.check_few()
        if not self.weights.names:
            return
        self._compare_unchecked()
        total, error = self._noise[0], np.sqrt(self._noise[1])
        constant = abs(total[[any(powers) for powers in self.process.monomials.exponents].index(False)])
        noisy = [
            f"{name} ({value:.2g} ± {spread:.2g} pb)"
            for name, value, spread in zip(self.process.monomials.names, total, error, strict=True)
            if spread > _NOISE * constant and abs(value) < 3.0 * spread
        ]
        if noisy:
            self.notes.warn(
                f"the θ points of the weights are so close together that rounding decides the coefficients of "
                f"{', '.join(noisy)}: use points further away"
            )

    def _compare_unchecked(self) -> None:
        """Warn if the unit of the weights cannot be checked, and hardly is that of the nominal one."""
        if self._nominal_row is not None or len(self._sizes) < 2 or not self._sizes[0]:
            return
        ratios = self._sizes[1:] / self._sizes[0]
        if ratios.max() < 1.0 / _OTHER_UNITS or ratios.min() > _OTHER_UNITS:
            self.notes.warn(
                f"the weights at the θ points sum to {ratios.min():.3g} to {ratios.max():.3g} times the nominal ones, "
                "so they may be in other units; with import.nominal_is_point that cannot be checked, and all "
                "coefficients would be wrong"
            )

    def _finite(self, values: Array, event_ids: NDArray[np.int64]) -> Array:
        bad = np.atleast_1d(~np.isfinite(values).all(axis=1))
        for row in np.flatnonzero(bad):
            reason = "a weight at a θ point is NaN or infinite"
            if self.wild.policy == "keep":
                raise EventFileError(
                    f"{self.wild.numbering.where(int(event_ids[row]))}: {reason} and cannot be kept: set "
                    "import.wild_weights to drop"
                )
            self.wild.flag(int(event_ids[row]), reason)
        return np.where(bad[:, None], 0.0, values)

    def _in_units(self, nominal: Array, values: Array, event_ids: NDArray[np.int64]) -> Array:
        """Return the weights in units of the nominal one; flag events in which they do not fit it."""
        if self._nominal_row is None or not len(values):
            return values
        predicted, size = values @ self._nominal_row, np.abs(values) @ np.abs(self._nominal_row)
        if self._unit.factor is None:
            self._find_unit(nominal, predicted, size, event_ids)
        factor = 1.0 if self._unit.factor is None else self._unit.factor
        off = self._off(nominal, factor * predicted, factor * size)
        if off.any():
            self._check_one_unit(nominal, predicted, size, off, event_ids)
        for row in np.flatnonzero(off):
            if int(event_ids[row]) not in self.wild.reasons:
                self.wild.flag(int(event_ids[row]), self._misfit(nominal[row], factor * predicted[row]))
        return factor * values

    def _check_one_unit(
        self, nominal: Array, predicted: Array, size: Array, off: NDArray[np.bool_], event_ids: NDArray[np.int64]
    ) -> None:
        """Refuse events that do not fit the unit of the others because they share another one, or because few told it.

        Raises:
            EventFileError: naming an event of each unit.
        """
        where, unit = self.wild.numbering.where, self._unit
        odd = off & (nominal != 0) & (np.abs(predicted) > 1e-3 * size)
        if odd.sum() >= max(_FEW, len(off) // 100):
            factor = float(np.median(nominal[odd] / predicted[odd]))
            fits = ~self._off(nominal[odd], factor * predicted[odd], abs(factor) * size[odd])
            if factor > 0 and fits.mean() > 0.9:
                others = event_ids[~off]
                raise EventFileError(
                    f"{where(int(event_ids[odd][0]))}: its weights at the θ points are in other units than those of "
                    f"{where(int(others[0]) if len(others) else unit.first)}: times {factor:.6g} and {unit.factor:.6g} "
                    f"they give the nominal weights, and so for {int(odd.sum()) - 1} events more. Import files with "
                    "different units as separate samples"
                )
        if unit.factor not in (None, 1.0) and unit.events < _FEW and unit.first not in event_ids:
            raise EventFileError(
                f"{where(int(event_ids[off][0]))}: its weights at the θ points do not fit the nominal one with the "
                f"factor {unit.factor:.6g} that {unit.events} events before it told, beginning with "
                f"{where(unit.first)}. Which of them are wrong cannot be told from so few: read more events at a time "
                "(import.batch_size)"
            )

    def _find_unit(self, nominal: Array, predicted: Array, size: Array, event_ids: NDArray[np.int64]) -> None:
        """Find the factor that all events share, 1 where the weights are in units of the nominal one."""
        usable = (nominal != 0) & (np.abs(predicted) > 1e-3 * size)
        if not usable.any():
            if (nominal != 0).any():
                row = int(np.flatnonzero(nominal != 0)[0])
                raise EventFileError(
                    f"{self.wild.numbering.where(int(event_ids[row]))}: {self._misfit(nominal[row], predicted[row])}. "
                    f"{_NO_UNIT}"
                )
            return
        ratio = nominal[usable] / predicted[usable]
        middle = float(np.median(ratio))
        kept = ~self._off(nominal[usable], predicted[usable], size[usable])
        factor = 1.0 if kept.mean() >= 0.5 else middle
        off = self._off(nominal, factor * predicted, abs(factor) * size)
        if factor <= 0 or off[nominal != 0].mean() > 0.5:
            low, high = np.min(ratio), np.max(ratio)
            hint = _RELATIVE if self._looks_relative(nominal[usable], predicted[usable], size[usable]) else _NO_UNIT
            raise EventFileError(
                f"{self.wild.numbering.where(int(event_ids[usable][0]))}: "
                f"{self._misfit(nominal[usable][0], predicted[usable][0])}, and the other events have no common "
                f"factor (from {low:.4g} to {high:.4g}). {hint}"
            )
        self._unit.factor, self._unit.events, self._unit.first = factor, int(usable.sum()), int(event_ids[0])
        self.notes.facts["theta_weight_unit"] = factor
        if factor != 1.0:
            self.notes.warn(
                f"the weights at the θ points were multiplied by {factor:.6g}: their polynomial at the θ of the "
                f"generation was {1.0 / factor:.6g} times the nominal weight in all events, so they were in other units"
            )

    def _looks_relative(self, nominal: Array, predicted: Array, size: Array) -> bool:
        """Whether the weights in the file are 1 at the θ of the generation though nominal weights differ."""
        if self.relative:
            return False
        share = predicted / np.median(predicted)
        return bool(
            np.mean(np.abs(share - 1.0) <= self.config.max_residual + _ROUNDING[False] * size / predicted) > 0.5
        )

    def _off(self, nominal: Array, predicted: Array, size: Array) -> NDArray[np.bool_]:
        allowed = self.config.max_residual * np.abs(nominal) + _ROUNDING[self.relative] * size
        off: NDArray[np.bool_] = np.abs(nominal - predicted) > allowed
        return off

    def _misfit(self, nominal: float, predicted: float) -> str:
        theta = ", ".join(f"{name} = {value:g}" for name, value in self._theta.items() if value) or "θ = 0"
        return (
            f"its weights at the θ points give {predicted:.6g} pb at the θ of the generation ({theta}), but its "
            f"nominal weight is {nominal:.6g} pb"
        )

    def _note(self, coefficients: Array, residual: Array, rounding: Array) -> None:
        largest = float(self.notes.facts.get("largest_theta_residual", 0.0))  # type: ignore[arg-type]
        self.notes.facts["largest_theta_residual"] = max(largest, float(residual.max(initial=0.0)))
        self._noise[0] += coefficients.sum(axis=0)
        self._noise[1] += ((rounding**2) @ (self._inverse**2).T).sum(axis=0)


def _compare_with_texts(
    weights: ThetaWeights, descriptions: Mapping[str, str], monomials: Monomials, notes: Notes
) -> None:
    """Warn if the file says another θ of a weight than the user."""
    for name, point in zip(weights.names, weights.points, strict=True):
        stated = parse_theta(descriptions.get(name, ""), monomials.parameters)
        if stated is not None and not np.allclose(monomials.point(stated), point, rtol=1e-6, atol=1e-12):
            given = ", ".join(f"{key} = {value:g}" for key, value in zip(monomials.parameters, point, strict=True))
            notes.warn(
                f"import.weight_points puts the weight '{name}' at θ = ({given}), but the file says of it "
                f"'{descriptions[name]}': the point of the analysis file counts"
            )
            return


def _nominal_row(monomials: Monomials, points: Array, generation: Array) -> Array | None:
    """Return the row that turns weights at the points into the weight at the generation, None if they do not fix it."""
    matrix = monomials.evaluate(points)
    scale = np.abs(matrix).max(axis=0, initial=0.0)
    scaled = matrix / np.where(scale > 0, scale, 1.0)
    if np.linalg.matrix_rank(scaled) < len(monomials):
        return None
    inverse = np.linalg.pinv(scaled) / scale[:, None]
    row: Array = monomials.evaluate(generation) @ inverse
    return row


_NO_UNIT = (
    "Expected weights in units of the nominal one, or one factor between them in all events. Check import.theta (θ of "
    "the generation) and import.weight_points"
)

_RELATIVE = (
    "The weights at the θ points seem to be relative to the nominal one: then set import.theta_weight_kind to relative"
)
