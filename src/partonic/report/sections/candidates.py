"""Candidates from the truth match: masses of the objects that belong to the resonances of the process."""

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from partonic.events.batch import EventBatch
from partonic.physics.fourvector import mass
from partonic.physics.kinematics import from_pt_eta_phi_m, transverse_momentum
from partonic.plots.axis import Axis
from partonic.plots.canvas import Headline
from partonic.plots.efficiency import efficiency
from partonic.plots.histogram import Histogram
from partonic.plots.maps import Histogram2D, draw_map
from partonic.report.candidates import PairCandidate, jet_candidates, matched_objects, pair_candidates
from partonic.report.content import Content, Plot, Table, percent_with_error
from partonic.report.section import Sample
from partonic.report.sections.selected import HistogramDrawer
from partonic.report.views import BatchObjects, BatchPartons, selection_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CandidatesSection"]

_W_MASS = Axis.regular("candidate_w_mass", r"$m$(two jets of W)", (40, 0.0, 200.0), "GeV")
_MIGRATION = (25, 0.0, 500.0)
_PHOTON = 22


class CandidatesSection:
    """Jets, leptons and photons that are matched to the decay products of resonances, event by event."""

    name: ClassVar[str] = "candidates"
    title: ClassVar[str] = "Candidates of resonances"
    columns: ClassVar[tuple[str, ...]] = (
        "weight", "selected", "jet_provenance", "jet_match", "decay_pdg", "decay_origin", "decay_partons",
        *BatchObjects.columns, *BatchObjects.optional, *BatchPartons.columns,
    )  # fmt: skip

    def __init__(self, sample: Sample) -> None:
        """Prepare for `sample`."""
        self.sample = sample
        tree = sample.metadata.process_info.decay_tree
        self.candidates = jet_candidates(tree)
        axes = dict(candidate.mass for candidate in self.candidates if candidate.mass is not None)
        self.top = next((candidate for candidate in self.candidates if candidate.jets == 3), None)
        if self.top is not None:
            axes["w"] = _W_MASS
        self.masses = {name: Histogram(sample.axis(axis)) for name, axis in axes.items()}
        self.pairs = {pair: Histogram(sample.axis(pair.axis)) for pair in pair_candidates(tree)}
        self.counts = {one.name: Histogram(Axis.counts(f"jets of {one.name}", "", (0, 4))) for one in self.candidates}
        self.migration = Histogram2D(
            sample.axis(Axis.regular("migration_parton_pt", r"$p_\mathrm{T}$(H) of the parton", _MIGRATION, "GeV")),
            sample.axis(Axis.regular("migration_jet_pt", r"$p_\mathrm{T}$(two jets of H)", _MIGRATION, "GeV")),
        )

    def fill(self, batch: EventBatch) -> None:
        """Add one batch of events."""
        matched = batch.filter(selection_of(batch) & batch.valid("jet_provenance"))
        if not len(matched):
            return
        view = BatchObjects(matched)
        provenance = np.where(view.jet_mask, view.jet("provenance"), 0)
        for candidate in self.candidates:
            jets = provenance == candidate.provenance
            self.counts[candidate.name].fill(jets.sum(axis=1), view.batch.weight)
            if candidate.mass is not None:
                self._fill_mass(candidate.mass[0], view, jets, candidate.jets)
            if candidate.name == "H":
                self._fill_migration(view, jets)
        if self.top is not None and view.batch.has("jet_match") and view.batch.has("decay_pdg"):
            self._fill_mass("w", view, (provenance == self.top.provenance) & _light_quark(view), 2)
        if all(view.batch.has(name) for name in ("decay_pdg", "decay_origin", "decay_partons")):
            for pair, histogram in self.pairs.items():
                _fill_pair(pair, histogram, view)

    def _fill_mass(self, name: str, view: BatchObjects, jets: NDArray[np.bool_], number: int) -> None:
        complete = jets.sum(axis=1) == number
        self.masses[name].fill(mass(_sum(view, jets)).numpy()[complete], view.batch.weight[complete])

    def _fill_migration(self, view: BatchObjects, jets: NDArray[np.bool_]) -> None:
        metadata = self.sample.metadata
        complete = jets.sum(axis=1) == 2
        if 25 not in metadata.parton_pdg or not view.batch.has("partons") or not complete.any():
            return
        higgs = BatchPartons(view.batch).momenta[:, metadata.parton_pdg.index(25)]
        parton, pair = transverse_momentum(higgs).numpy(), transverse_momentum(_sum(view, jets)).numpy()
        self.migration.fill(parton[complete], pair[complete], view.batch.weight[complete])

    def content(self) -> Content:
        """Return the table of complete matches and the mass distributions."""
        if not self.candidates:
            return Content(missing=("The process of these events has no resonances.",))
        if all(histogram.is_empty for histogram in self.counts.values()):
            return Content(missing=("The jets are not matched to partons (no truth, or no selected events).",))
        filled = {name: histogram for name, histogram in self.masses.items() if not histogram.is_empty}
        plots = [
            Plot(
                histogram.axis.name,
                "Invariant mass of the jets matched (ΔR) to the decay quarks, where each quark has its own jet.",
                HistogramDrawer([("matched jets", histogram)], self.sample.weight_unit),
            )
            for histogram in filled.values()
        ]
        pairs = {pair.axis.name: histogram for pair, histogram in self.pairs.items() if not histogram.is_empty}
        plots += [
            Plot(
                name,
                "Invariant mass of two leptons or photons that are matched (ΔR) to the decay products.",
                HistogramDrawer([("matched pairs", histogram)], self.sample.weight_unit),
            )
            for name, histogram in pairs.items()
        ]
        if not self.migration.is_empty:
            caption = "Where the events of each bin of the parton-level pT(H) are reconstructed; columns sum to 1."
            plots.append(Plot("migration_pt_higgs", caption, self._draw_migration))
        return Content(
            tables=(self._table(),),
            plots=tuple(plots),
            results={
                **{name: histogram.record() for name, histogram in (filled | pairs).items()},
                **{f"jets of {name}": histogram.record() for name, histogram in self.counts.items()},
                "migration": self.migration.record(),
            },
        )

    def _table(self) -> Table:
        rows = []
        for candidate in self.candidates:
            name, needed, histogram = candidate.name, candidate.jets, self.counts[candidate.name]
            total = (histogram.sums.sum(), histogram.variances.sum())
            share = efficiency((histogram.contents, histogram.errors**2), (np.full(5, total[0]), np.full(5, total[1])))
            cells = [
                percent_with_error(*(float(part[k]) for part in (share.value, share.below, share.above)))
                if k <= max(needed, 1)
                else ""
                for k in range(4)
            ]
            rows.append((name, *cells))
        return Table(
            "Share of selected events by the number of jets that match a decay quark of each particle.",
            ("particle", "no jet", "one", "two", "three"),
            tuple(rows),
        )

    def _draw_migration(self, headline: Headline) -> "Figure":
        histogram = self.migration
        return draw_map(histogram, histogram.shares_in_x(), "share of events", headline=headline, diagonal=True)


def _fill_pair(pair: PairCandidate, histogram: Histogram, view: BatchObjects) -> None:
    """Add the mass of exactly two matched leptons or photons of each event."""
    features, mask = view.leptons if pair.objects == "lepton" else view.photons
    if not mask.any():
        return
    pdg = np.where(mask, features[..., 4] if pair.objects == "lepton" else _PHOTON, 0.0)
    directions = {"eta": features[..., 1], "phi": features[..., 2]}
    found = matched_objects(view.batch, directions, pdg, pair.pdg_ids) & mask
    complete = found.sum(axis=1) == 2
    momenta = from_pt_eta_phi_m(torch.from_numpy(features[..., :4])) * torch.from_numpy(found)[..., None]
    histogram.fill(mass(momenta.sum(dim=1)).numpy()[complete], view.batch.weight[complete])


def _sum(view: BatchObjects, jets: NDArray[np.bool_]) -> torch.Tensor:
    return (view.jet_momenta * torch.from_numpy(jets)[..., None]).sum(dim=1)


def _light_quark(view: BatchObjects) -> NDArray[np.bool_]:
    """Return which jets match a decay quark other than b, `(N, MAX_JETS)`."""
    width = max(1, int(view.batch.counts("decay_pdg").max(initial=1)))
    pdg, _ = view.batch.padded("decay_pdg", width)
    match = np.where(view.jet_mask, view.jet("match"), -1).astype(np.int64)
    found = np.abs(np.take_along_axis(pdg, np.clip(match, 0, width - 1), axis=1))
    light: NDArray[np.bool_] = (match >= 0) & (found >= 1) & (found <= 4)
    return light
