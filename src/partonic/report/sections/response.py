"""Jet response and resolution against the true pT, with respect to particle-level jets and to decay quarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.panels import Curve, Panel, draw_panels
from partonic.plots.profile import Profile
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot
from partonic.report.section import Sample
from partonic.report.views import BatchObjects, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ResponseSection"]

Array = NDArray[np.float64]

_PT_EDGES = (20.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0, 110.0, 140.0, 180.0, 240.0, 320.0, 450.0)
_RESPONSE = Axis.regular("response", "response", (800, 0.0, 4.0))
_ETA_RANGES: Mapping[str, tuple[float, float]] = {r"$|\eta| < 1.5$": (0.0, 1.5), r"$1.5 < |\eta| < 2.5$": (1.5, 2.5)}


@dataclass(frozen=True)
class _Truth:
    """One kind of true pT."""

    name: str
    sentence: str
    axis: Axis


_PARTICLES = _Truth(
    "particle",
    "pT of the nearest particle-level jet within ΔR < 0.4",
    Axis("true_jet_pt", r"$p_\mathrm{T}$(particle-level jet)", _PT_EDGES, "GeV"),
)
_QUARKS = _Truth(
    "quark",
    "pT of the matched decay quark before the shower",
    Axis("decay_quark_pt", r"$p_\mathrm{T}$(decay quark)", _PT_EDGES, "GeV"),
)


class ResponseSection:
    """Median and width of reconstructed over true pT."""

    name: ClassVar[str] = "response"
    title: ClassVar[str] = "Jet response and resolution"
    columns: ClassVar[tuple[str, ...]] = (
        "weight", "selected", "jet_true_pt", "jet_match", "decay_partons", "jet_pt", "jet_eta",
    )  # fmt: skip

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.profiles = {
            (truth.name, label): Profile(sample.axis(truth.axis), _RESPONSE)
            for truth in (_PARTICLES, _QUARKS)
            for label in _ETA_RANGES
        }

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        jets = BatchObjects(batch.filter(selection_of(batch))).batch
        if not len(jets):
            return
        if jets.has("jet_true_pt"):
            # NaN means: no particle-level jet nearby (the column says so); such jets have no response.
            true_pt = jets.flat("jet_true_pt").astype(np.float64)
            self._fill(_PARTICLES, jets, true_pt, ~np.isnan(true_pt))
        if jets.has("jet_match") and jets.has("decay_partons"):
            self._fill(_QUARKS, jets, *_quark_pt(jets))

    def _fill(self, truth: _Truth, jets: EventBatch, true_pt: Array, known: NDArray[np.bool_]) -> None:
        eta = np.abs(jets.flat("jet_eta"))
        pt, weight = jets.flat("jet_pt").astype(np.float64), np.repeat(jets.weight, jets.counts("jet_pt"))
        for label, (low, high) in _ETA_RANGES.items():
            rows = known & (eta >= low) & (eta < high)
            self.profiles[truth.name, label].fill(true_pt[rows], pt[rows] / true_pt[rows], weight[rows])

    def content(self) -> Content:
        """Return response, resolution and their distributions."""
        shown = [t for t in (_PARTICLES, _QUARKS) if any(not p.is_empty for p in self._of(t).values())]
        absent = [t.sentence for t in (_PARTICLES, _QUARKS) if t not in shown]
        missing = tuple(f"Not known for these events: {sentence}." for sentence in absent)
        return Content(
            paragraphs=(
                "Response: reconstructed over true pT of a jet; shown are its median and half of its central 68% "
                "interval, in bins of the true pT, with errors from order statistics. Reconstructed jets have a "
                "minimum pT, so that the response near it is biased upwards: of softer jets only those measured too "
                "high are kept.",
            )
            if shown
            else (),
            missing=missing,
            plots=tuple(plot for truth in shown for plot in self._plots(truth)),
            results={
                f"{truth.name} {label.replace('$', '')}": profile.points().record()
                for truth in shown
                for label, profile in self._of(truth).items()
            },
        )

    def _of(self, truth: _Truth) -> dict[str, Profile]:
        return {label: self.profiles[truth.name, label] for label in _ETA_RANGES}

    def _plots(self, truth: _Truth) -> list[Plot]:
        profiles = self._of(truth)
        kinds: tuple[tuple[Literal["median", "width"], str], ...] = (
            ("median", "Median response"),
            ("width", "Resolution: half of the central 68% interval of the response over its median"),
        )
        plots = [
            Plot(f"response_{truth.name}_{kind}", f"{text}; true pT: {truth.sentence}.", _Points(profiles, kind))
            for kind, text in kinds
        ]
        caption = f"Distribution of the response, all |η|; true pT: {truth.sentence}."
        return [*plots, Plot(f"response_{truth.name}_distribution", caption, _Distributions(profiles))]


def _quark_pt(jets: EventBatch) -> tuple[Array, NDArray[np.bool_]]:
    """Return pT of the decay quark that each jet matches, and whether it has one, for all jets one after another."""
    momenta = jets.flat("decay_partons").astype(np.float64).reshape(-1, 4)
    lengths = jets.counts("decay_partons") // 4
    first = np.repeat(np.cumsum(lengths) - lengths, jets.counts("jet_pt"))
    match = jets.flat("jet_match").astype(np.int64)
    known = match >= 0
    transverse = np.zeros(len(match))
    transverse[known] = np.hypot(momenta[:, 1], momenta[:, 2])[(first + match)[known]]
    return transverse, known & (transverse > 0)


class _Points:
    """Draws median or relative width against the true pT."""

    def __init__(self, profiles: dict[str, Profile], kind: Literal["median", "width"]) -> None:
        self.profiles = profiles
        self.kind = kind

    def __call__(self, headline: Headline) -> "Figure":
        curves = []
        for number, (label, profile) in enumerate(self.profiles.items()):
            points = profile.points()
            values = (points.median, points.median_error) if self.kind == "median" else points.relative_width()
            curves.append(Curve(label, values[0], values[1], colour=PALETTE[number], kind="points"))
        title = "median response" if self.kind == "median" else "relative resolution (68%)"
        level, minimum = (1.0, None) if self.kind == "median" else (None, 0.0)
        axis = next(iter(self.profiles.values())).axis
        return draw_panels(axis, Panel(tuple(curves), title, level=level, minimum=minimum), headline=headline)


class _Distributions:
    """Draws the response in three ranges of true pT, normalised."""

    def __init__(self, profiles: dict[str, Profile]) -> None:
        self.profiles = profiles

    def __call__(self, headline: Headline) -> "Figure":
        sums = sum(profile.sums for profile in self.profiles.values())
        edges = next(iter(self.profiles.values())).axis.edges
        axis = Axis.regular("response", "reconstructed / true $p_\\mathrm{T}$", (50, 0.0, 2.5))
        curves = []
        for number, rows in enumerate(np.array_split(np.arange(len(edges) - 1), 3)):
            fine = np.asarray(sums)[rows].sum(axis=0)
            coarse = fine[1:501].reshape(50, 10).sum(axis=1)
            if fine.sum() > 0:
                label = f"{edges[rows[0]]:.0f}–{edges[rows[-1] + 1]:.0f} GeV"
                curves.append(Curve(label, coarse / (fine.sum() * axis.widths), colour=PALETTE[number]))
        panel = Panel(tuple(curves), "density", minimum=0.0)
        return draw_panels(axis, panel, headline=headline)
