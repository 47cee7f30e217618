"""Parton level: spectra of the hard process, for all events and for the selected ones."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch

from partonic.events.batch import EventBatch
from partonic.physics.fourvector import mass
from partonic.plots.canvas import Headline
from partonic.plots.efficiency import EfficiencyHistogram
from partonic.plots.panels import Curve, Panel, draw_panels, spectrum_panel
from partonic.plots.style import PALETTE
from partonic.report.content import Content, Plot, Table
from partonic.report.observables import PartonGroup, parton_groups
from partonic.report.section import Sample
from partonic.report.sections.acceptance import FEWEST_EVENTS
from partonic.report.views import BatchPartons, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PartonsSection"]


class PartonsSection:
    """Spectra of the partons of the hard process."""

    name: ClassVar[str] = "partons"
    title: ClassVar[str] = "Parton level"
    columns: ClassVar[tuple[str, ...]] = ("weight", "selected", *BatchPartons.columns)

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        self.groups = parton_groups(sample.metadata) if sample.metadata.parton_names else ()
        self.histograms = {
            (group.axis.name, label): EfficiencyHistogram(sample.axis(group.axis))
            for group in self.groups
            for label, _ in group.members
        }
        self.masses = _MassTable(len(sample.metadata.parton_names))

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        view = BatchPartons(batch)
        if not self.groups or not len(view):
            return
        weight, chosen = view.batch.weight, selection_of(view.batch)
        for group in self.groups:
            for label, observable in group.members:
                values, defined = observable.evaluate(view)
                self.histograms[group.axis.name, label].fill(values[defined], weight[defined], chosen[defined])
        self.masses.fill(view.momenta)

    def content(self) -> Content:
        """Return one figure per kind of observable."""
        if not self.histograms or all(histogram.is_empty for histogram in self.histograms.values()):
            return Content(missing=("The events carry no partons of a hard process.",))
        names = self.sample.metadata.parton_names
        results: dict[str, object] = {
            f"{name} {label}": histogram.record() for (name, label), histogram in self.histograms.items()
        }
        return Content(
            paragraphs=(
                "Final state of the hard process before the shower, in the laboratory. Upper panels: differential "
                "cross section of all events at the generation point, with the statistical error as a band. Lower "
                "panels: share of selected events, where a selection was applied, in bins with at least "
                f"{FEWEST_EVENTS:.0f} effective events.",
            ),
            tables=(self.masses.table(names),),
            plots=tuple(self._plot(group) for group in self.groups),
            results=results,
        )

    def _plot(self, group: PartonGroup) -> Plot:
        label = group.axis.label.replace("$", "")
        return Plot(
            group.axis.name, f"Distribution at parton level: {_PLAIN.get(group.axis.name, label)}.", self._drawer(group)
        )

    def _drawer(self, group: PartonGroup) -> "_Drawer":
        histograms = [(label, self.histograms[group.axis.name, label]) for label, _ in group.members]
        return _Drawer(group, histograms)


_PLAIN = {
    "parton_pt": "transverse momentum",
    "parton_eta": "pseudorapidity",
    "parton_rapidity": "rapidity",
    "parton_pair_mass": "invariant mass of pairs",
    "parton_delta_phi": "azimuthal distance of pairs",
    "parton_delta_y": "rapidity distance of pairs",
    "parton_mass": "invariant mass of the whole final state",
    "parton_system_rapidity": "rapidity of the whole final state",
}


class _Drawer:
    """Draws one group: spectra above, share of selected events below."""

    def __init__(self, group: PartonGroup, histograms: list[tuple[str, EfficiencyHistogram]]) -> None:
        self.group = group
        self.histograms = histograms

    def __call__(self, headline: Headline) -> "Figure":
        axis = self.histograms[0][1].axis
        spectra, shares = [], []
        for number, (label, histogram) in enumerate(self.histograms):
            colour = PALETTE[number % len(PALETTE)]
            values, errors = histogram.total.density()
            spectra.append(Curve(label, values, below=errors, colour=colour))
            share = histogram.result(FEWEST_EVENTS)
            shares.append(Curve("", share.value, share.below, share.above, colour, kind="points"))
        main = spectrum_panel(axis, spectra)
        selected = any(not histogram.passed.is_empty for _, histogram in self.histograms)
        lower = [Panel(tuple(shares), "selected", minimum=0.0)] if selected else []
        note = next((histogram.total.note for _, histogram in self.histograms if histogram.total.note), "")
        return draw_panels(axis, main, lower, headline=headline, note=note)


class _MassTable:
    """Smallest and largest invariant mass of each particle, and of the unbalanced transverse momentum."""

    def __init__(self, particles: int) -> None:
        self.low, self.high = np.full(particles, np.inf), np.full(particles, -np.inf)
        self.imbalance = 0.0

    def fill(self, momenta: torch.Tensor) -> None:
        """Add momenta `(N, n, 4)`."""
        masses = mass(momenta).numpy()
        self.low = np.minimum(self.low, masses.min(axis=0))
        self.high = np.maximum(self.high, masses.max(axis=0))
        total = momenta.sum(dim=1)
        self.imbalance = max(self.imbalance, float((total[:, 1:3].norm(dim=-1) / total[:, 0]).max()))

    def table(self, names: tuple[str, ...]) -> Table:
        """Return the table."""
        rows = tuple(
            (name, f"{low:.6f}", f"{high:.6f}") for name, low, high in zip(names, self.low, self.high, strict=True)
        )
        return Table(
            "Masses of the final-state particles, in GeV; on-shell particles have one value to rounding. The largest "
            f"transverse momentum left unbalanced by the final state is {self.imbalance:.1e} of its energy.",
            ("particle", "smallest mass [GeV]", "largest mass [GeV]"),
            rows,
        )
