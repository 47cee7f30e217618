"""Where the information on θ sits: maps of it in planes of two observables, and of ratios that are odd under CP."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.physics.kinematics import azimuth, rapidity
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.maps import Histogram2D, draw_map
from partonic.report.content import Content, Plot
from partonic.report.labels import monomial_label, parameter_label, particle_label, plain
from partonic.report.observables import Observable, parton_observables, reco_observables
from partonic.report.section import Sample
from partonic.report.views import BatchObjects, BatchPartons, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["InformationSection"]

Array = NDArray[np.float64]
Values = Callable[[EventBatch], tuple[Array, NDArray[np.bool_]]]

_CONSTANT = 1e-6
"""Variance of the score over its mean square below which it is the same for all events: a matter of rate alone."""

_FEW = 10
"""Events in a bin below which a mean ratio is not drawn."""

_CP_ODD = "kappa_tilde_t"
"""The parameter whose odd powers change sign under CP."""


@dataclass(frozen=True)
class _Plane:
    """Two observables; both values and where they are defined, `(N,)` each."""

    x: Axis
    y: Axis
    values: tuple[Values, Values]
    level: str

    @property
    def name(self) -> str:
        return f"{self.x.name}_{self.y.name}"


class InformationSection:
    """Fisher information by region, from the true weights of the selected events."""

    name: ClassVar[str] = "information"
    title: ClassVar[str] = "Where the information sits"
    columns: ClassVar[tuple[str, ...]] = (
        "coefficients",
        "weight",
        "selected",
        *BatchPartons.columns,
        *BatchObjects.columns,
    )

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.monomials = sample.metadata.monomials
        self.theta, self.where = _point(sample)
        self.planes = tuple(_planes(sample))
        names = self.monomials.parameters if sample.depends_on_theta else ()
        self.maps = {(plane.name, name): Histogram2D(plane.x, plane.y) for plane in self.planes for name in names}
        self.events = {plane.name: Histogram2D(plane.x, plane.y) for plane in self.planes}
        self.odd = {
            (plane.name, a): Histogram2D(plane.x, plane.y)
            for plane in self.planes[:1] if plane.level == "signed"
            for a in _odd_monomials(sample)
        }  # fmt: skip
        self.moments = np.zeros((len(self.monomials.parameters), 3))
        self.largest_odd = np.zeros(len(self.monomials))

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        chosen = batch.filter(selection_of(batch))
        if not len(chosen) or not self.maps:
            return
        coefficients = chosen.coefficients
        weight = coefficients @ self.monomials.evaluate(self.theta)
        positive = (weight > 0) & (coefficients[:, 0] > 0)
        safe = np.where(positive, weight, 1.0)
        score = np.where(positive[:, None], coefficients @ self.monomials.gradient(self.theta) / safe[:, None], 0.0)
        used = np.where(positive, weight, 0.0)
        for power in range(3):
            self.moments[:, power] += (used[:, None] * score**power).sum(axis=0)
        for plane in self.planes:
            (x, has_x), (y, has_y) = (values(chosen) for values in plane.values)
            known = positive & has_x & has_y
            self.events[plane.name].fill(x[known], y[known], np.ones(int(known.sum())))
            for number, name in enumerate(self.monomials.parameters):
                information = used * score[:, number] ** 2
                self.maps[plane.name, name].fill(x[known], y[known], information[known])
            for a in [a for name, a in self.odd if name == plane.name]:
                ratio = coefficients[known, a] / coefficients[known, 0]
                self.largest_odd[a] = max(self.largest_odd[a], np.abs(ratio).max(initial=0.0))
                self.odd[plane.name, a].fill(x[known], y[known], ratio)

    def content(self) -> Content:
        """Return a map for each plane and parameter whose score varies, and of the ratios that are odd under CP."""
        if not self.maps or not self.moments[:, 0].any():
            return Content(missing=("There are no selected events with a dependence on θ.",))
        constant = [name for name in self.monomials.parameters if not self._varies(name)]
        drawn = [(plane, name) for name in self.monomials.parameters if name not in constant for plane in self.planes
                 if not self.maps[plane.name, name].is_empty]  # fmt: skip
        odd = [(plane, a) for plane in self.planes for a in range(len(self.monomials))
               if (plane.name, a) in self.odd and self.largest_odd[a] > _CONSTANT]  # fmt: skip
        remark = f"The score is the same for all events, a matter of rate alone: {', '.join(constant)}."
        return Content(
            paragraphs=(
                f"Fisher information of each parameter at {self.where}: the sum of w(θ) s² with the score "
                "s = ∂ log w/∂θ of the true weights of the selected events, by region, as share of the whole. It is "
                "what a perfect measurement of the partons would know; the number of events counts in it.",
            ),
            missing=(remark,) if constant else (),
            plots=(*(self._information(plane, name) for plane, name in drawn), *(self._odd(*each) for each in odd)),
            results={
                "theta": dict(zip(self.monomials.parameters, self.theta.tolist(), strict=True)),
                **{f"{plane.name} {name}": self.maps[plane.name, name].record() for plane, name in drawn},
            },
        )

    def _varies(self, name: str) -> bool:
        total, mean, square = self.moments[self.monomials.parameters.index(name)]
        return bool(square > 0 and square * total - mean**2 > _CONSTANT * square * total)

    def _information(self, plane: _Plane, name: str) -> Plot:
        caption = (
            f"Share of the Fisher information on {name} in the plane of {plain(plane.x.label)} and "
            f"{plain(plane.y.label)}, at {self.where}."
        )
        return Plot(f"information_{name}_{plane.name}", caption, partial(self._draw_information, plane, name))

    def _draw_information(self, plane: _Plane, name: str, headline: Headline) -> "Figure":
        found = self.maps[plane.name, name]
        contents = found.contents()
        title = f"share of the information on {parameter_label(name)} [%]"
        return draw_map(found, 100 * contents / contents.sum(), title, headline=headline)

    def _odd(self, plane: _Plane, a: int) -> Plot:
        name = self.monomials.names[a]
        caption = (
            f"Mean of R_a = c_a/c_0 of {name}, which changes sign under CP, in the plane of {plain(plane.x.label)} and "
            f"{plain(plane.y.label)}; bins with fewer than {_FEW} events are left out."
        )
        return Plot(f"odd_{name.replace('*', '_')}_{plane.name}", caption, partial(self._draw_odd, plane, a))

    def _draw_odd(self, plane: _Plane, a: int, headline: Headline) -> "Figure":
        events = self.events[plane.name].contents()
        sums = self.odd[plane.name, a]
        mean = np.where(events >= _FEW, sums.contents() / np.maximum(events, 1.0), np.nan)
        label = monomial_label(self.monomials.parameters, self.monomials.exponents[a])
        return draw_map(sums, mean, rf"mean of $R_a$, {label}", headline=headline, signed=True)


def _point(sample: Sample) -> tuple[Array, str]:
    """Return θ at which the information is taken, and its name: the best fit, else the reference of the report."""
    record = sample.limits.inference if sample.limits else None
    monomials = sample.metadata.monomials
    if record is None or tuple(record.result["parameters"]) != monomials.parameters:
        return sample.reference, sample.reference_text
    best = {name: float(record.result["best_fit"][name]["value"]) for name in monomials.parameters}
    return monomials.point(best), "the best fit"


def _odd_monomials(sample: Sample) -> list[int]:
    """Return the monomials with an odd power of the parameter that is odd under CP."""
    monomials = sample.metadata.monomials
    if _CP_ODD not in monomials.parameters or not sample.depends_on_theta:
        return []
    place = monomials.parameters.index(_CP_ODD)
    return [a for a, powers in enumerate(monomials.exponents) if powers[place] % 2]


def _planes(sample: Sample) -> Iterator[_Plane]:
    metadata = sample.metadata
    if {6, -6} <= set(metadata.parton_pdg):
        yield _signed_plane(metadata)
    partons = {each.axis.name: each for each in parton_observables(metadata)} if metadata.parton_names else {}
    names = ("pt_H", "mass_ttbar") if {"pt_H", "mass_ttbar"} <= set(partons) else tuple(partons)[:2]
    if len(names) == 2:
        first, second = (partons[name] for name in names)
        values = (_of_partons(first), _of_partons(second))
        yield _Plane(_coarse(first.axis, 2), _coarse(second.axis, 2), values, "partons")
    reco = {each.axis.name: each for each in reco_observables()}
    ht, pair = reco["ht"], reco["closest_pair_mass"]
    yield _Plane(_coarse(ht.axis, 2), _coarse(pair.axis, 2), (_of_reco(ht), _of_reco(pair)), "objects")


def _coarse(axis: Axis, step: int) -> Axis:
    return axis.with_edges((*axis.edges[:-1:step], axis.edges[-1]))


def _signed_plane(metadata: StoreMetadata) -> _Plane:
    """Return Δφ and Δy of t and t̄ with their signs: the quadrants differ where CP is not conserved."""
    top, antitop = metadata.parton_pdg.index(6), metadata.parton_pdg.index(-6)
    symbols = "".join(particle_label(metadata.parton_pdg[i], metadata.parton_names[i]) for i in (top, antitop))

    def angle(view: BatchPartons) -> Array:
        difference = azimuth(view.momenta[:, top]) - azimuth(view.momenta[:, antitop])
        return np.angle(np.exp(1j * difference.numpy()))

    def gap(view: BatchPartons) -> Array:
        difference: Array = (rapidity(view.momenta[:, top]) - rapidity(view.momenta[:, antitop])).numpy()
        return difference

    x = Axis.regular("signed_delta_phi", rf"$\Delta\phi({symbols})$", (12, -float(np.pi), float(np.pi)), "rad")
    y = Axis.regular("signed_delta_y", rf"$\Delta y({symbols})$", (12, -3.0, 3.0))
    return _Plane(x, y, (_on_partons(angle), _on_partons(gap)), "signed")


def _of_partons(observable: Observable[BatchPartons]) -> Values:
    return _on_partons(lambda view: observable.evaluate(view)[0])


def _on_partons(function: Callable[[BatchPartons], Array]) -> Values:
    def values(batch: EventBatch) -> tuple[Array, NDArray[np.bool_]]:
        known = batch.valid("partons") if batch.has("partons") else np.zeros(len(batch), dtype=np.bool_)
        found = np.zeros(len(batch))
        if known.any():
            found[known] = function(BatchPartons(batch))
        return found, known

    return values


def _of_reco(observable: Observable[BatchObjects]) -> Values:
    def values(batch: EventBatch) -> tuple[Array, NDArray[np.bool_]]:
        known = batch.valid("jet_pt") if batch.has("jet_pt") else np.zeros(len(batch), dtype=np.bool_)
        found, defined = np.zeros(len(batch)), known.copy()
        if known.any():
            values_there, defined_there = observable.evaluate(BatchObjects(batch))
            defined[known] = defined_there
            found[known] = np.where(defined_there, values_there, 0.0)
        return found, defined

    return values
