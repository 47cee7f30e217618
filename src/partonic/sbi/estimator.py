"""A trained estimator of simulation-based inference, in the terms of `partonic.estimators`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import SchemaError
from partonic.estimators.estimator import EstimatorJob
from partonic.event_status import OK
from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.event_inputs import EventInputs, FeatureReader, columns_of_inputs, inputs_of
from partonic.features.named import NamedFeatures
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials
from partonic.rng import numpy_generator
from partonic.sbi.expansion import Expansion
from partonic.sbi.model import SbiModel
from partonic.sbi.stacking.features import CoefficientFiles, EventFeatures
from partonic.sbi.stacking.names import is_coefficient
from partonic.trained.model_files import model_fingerprint

__all__ = [
    "NOT_FINITE",
    "NO_DENSITY",
    "NO_FEATURES",
    "SOURCE",
    "SbiEstimator",
    "members_of",
    "pairing",
    "sbi_job",
]

Array = NDArray[np.float64]

SOURCE = "sbi"
"""Name of the method in `inference.source`."""

NOT_FINITE = "the networks give no finite ratio"
"""Status of an event with features on which the networks diverge."""

NO_DENSITY = "the learned density at the reference point is not positive"
"""Status of an event without a positive density at the Standard Model, where that is not what was learned at."""


NO_FEATURES = "another estimator, whose coefficients are features, was not asked about it"
"""Status of an event that is not in the files of the coefficients that are features; such events are left out."""


class SbiEstimator:
    """R_a(x) of events from networks.

    The ratios are the mean over the members of the ensemble. Their covariance is that of ratios in which each target
    takes a member of its own at random (arXiv:2410.07315, appendix A), for networks of different targets are trained
    apart; where they share what looks at the objects, all targets are of one member, and in bootstrap samples, for they
    have events in common. A method that knows its covariance (bins of the score, the Laplace approximation) is asked
    for it.

    Attributes:
        model: the trained estimator.
        features: how its features are made from the events of a store.
        folder: of the model, for the record; None if it is not known.
        source: its name in `inference.source`: ``sbi``, or ``sbi.<variant>`` where an analysis has several.
        of_others: whether events of another process may be asked about, e.g. of a background.
    """

    def __init__(
        self, model: SbiModel, features: FeatureReader, folder: Path | None = None, source: str = SOURCE,
        of_others: bool = False,
    ) -> None:  # fmt: skip
        self.model, self.features, self.folder, self.source = model, features, folder, source
        self.of_others = of_others
        self._expansion = Expansion.around(model.record.monomials, model.record.reference)
        self._pairing = pairing(model)

    @property
    def monomials(self) -> Monomials:
        """The monomials of the events that it was trained on."""
        return self.model.record.monomials

    @property
    def reference_point(self) -> Mapping[str, float]:
        """θ of the Standard Model."""
        return self.model.record.reference_point

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the inputs are made from."""
        return columns_of_inputs(self.features, self.model.record.slots, self.features.metadata)

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that events are of process, detector, decays and selection that were learned.

        Events that do not depend on θ, of a background or collision data, may be of any process and decays: what is
        asked of them is their density under the process that was learned.

        Raises:
            SchemaError: naming what differs.
            ConfigError: if they lack a feature.
        """
        record = self.model.record
        same = (metadata.process, metadata.monomials) == (record.process, record.monomials)
        independent = self.of_others or _is_independent(metadata)
        if not (same or independent):
            raise SchemaError(
                f"{where} holds events of '{metadata.process}' in {', '.join(metadata.monomials.names)}; the networks "
                f"were trained on '{record.process}' in {', '.join(record.monomials.names)}: use a model of such "
                "events, or import a background with `theta_independent: true`"
            )
        if abs(metadata.collider_energy - record.collider_energy) > 1e-6 * record.collider_energy:
            raise SchemaError(
                f"{where} holds events of √S = {metadata.collider_energy:g} GeV, the networks know "
                f"{record.collider_energy:g} GeV: train a model on such events"
            )
        if record.events is not None:
            record.events.check(metadata, where, any_process=independent)
        plain = [name for name in record.features if not is_coefficient(name)]
        slots = record.slots
        needed = columns_of_inputs(NamedFeatures(plain, metadata), slots, metadata) if plain else ()
        if not set(needed) <= set(self.columns):
            raise SchemaError(f"{where} makes the features from other columns than {', '.join(self.columns)}")

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the ratios of events."""
        inputs = inputs_of(batch, self.features, self.model.record.slots)
        targets = self.model.targets(inputs)
        ratios, covariance = self._ratios(targets, self.model.covariance(inputs))
        whole = np.concatenate([ratios, covariance.reshape(len(ratios), -1)], axis=1)
        there = np.ones(len(batch), dtype=np.bool_)
        if isinstance(self.features, EventFeatures):
            there = self.features.has(batch)
        finite: NDArray[np.bool_] = np.asarray(np.isfinite(whole).all(axis=1)) & there
        learned: NDArray[np.bool_] = np.asarray(np.isfinite(targets).all(axis=(0, 2)))
        status = tuple(
            OK if good else NO_FEATURES if not asked else NO_DENSITY if known else NOT_FINITE
            for good, asked, known in zip(finite, there, learned, strict=True)
        )
        ratios[~finite], covariance[~finite] = np.nan, np.nan
        count = len(inputs)
        return EventCoefficients(
            monomials=self.monomials,
            event_id=batch.column("event_id").astype(np.int64),
            ratios=ratios,
            log_reference=np.where(finite, 0.0, np.nan),
            covariance=covariance,
            status=status,
            relative_error=np.zeros(count),
            source=self.source,
            reference_point=dict(self.reference_point),
            diagnostics=self._diagnostics(inputs),
        )

    def members(self, batch: EventBatch) -> Array:
        """Return the ratios of events by each combination of members that the covariance is made of, `(M, N, A)`.

        They are NaN where the combination gives no ratio.
        """
        targets = self.model.targets(inputs_of(batch, self.features, self.model.record.slots))
        drawn = self._combinations(targets)
        values: Array = np.where(np.isfinite(drawn.sum(axis=2, keepdims=True)), drawn, np.nan)
        return values

    def cross_section(self) -> CrossSectionRecord:
        """Return σ_a, true or from the sums of the learned ratios, with the covariance of the true one."""
        record = self.model.record
        if record.config.normalisation == "true":
            return record.cross_section
        true = np.array(record.cross_section.coefficients)
        sigma = float(true @ self._expansion.matrix[0])
        learned = sigma * self._expansion.ratios(np.array(record.learned_means))
        return record.cross_section.model_copy(update={"coefficients": tuple(learned.tolist())})

    def facts(self) -> dict[str, Any]:
        """Return method, features, and the range of θ that it was trained for."""
        record = self.model.record
        return {
            "method": record.config.method,
            "features": list(record.features),
            "members": record.config.network.members,
            "backbone": None if record.config.method == "trees" else record.config.network.backbone,
            "trained_range": dict(zip(record.parameters, map(list, record.ranges), strict=True)),
            "normalisation": record.config.normalisation,
            "model": None if self.folder is None else str(self.folder),
            "training": record.facts,
            "covered_range": record.facts.get("covered_range", {}),
        }

    def figures(self, coefficients: EventCoefficients) -> dict[str, Any]:
        """Return events outside the range of the features, and the mean error of the ratios."""
        columns = coefficients.diagnostics.columns
        good = coefficients.usable()
        outside = float((columns["outside"][good] > 0).mean()) if good.any() else 0.0
        found: dict[str, Any] = {"outside": outside}
        if good.any():
            # rounding leaves the variance of what is known exactly a little below 0
            spread = np.sqrt(np.einsum("naa->na", coefficients.covariance[good]).clip(min=0.0)).mean(axis=0)
            found["mean_spread"] = dict(zip(self.monomials.names, spread.tolist(), strict=True))
        if "projection_residual" in columns and good.any():
            found["projection_residual"] = float(np.median(columns["projection_residual"][good]))
        return found

    def quality(self, coefficients: EventCoefficients) -> dict[str, str]:
        """Return the part of the events outside the range of the features."""
        outside = coefficients.diagnostics.columns["outside"]
        return {"outside": f"{float((outside > 0).mean()):.1%}"} if len(outside) else {}

    def _ratios(self, targets: Array, known: Array | None) -> tuple[Array, Array]:
        """Return R_a `(N, A)` to the reference point, NaN where that has no density, and their covariance."""
        mean = self._to_reference_point(targets.mean(axis=0))
        members, count, size = targets.shape
        if known is not None:
            slopes = self._slopes_to_reference_point(targets.mean(axis=0))
            return mean, slopes @ known @ slopes.transpose(0, 2, 1)
        if members == 1:
            return mean, np.zeros((count, size, size))
        drawn = self._combinations(targets)
        shift = drawn - drawn.mean(axis=0)
        return mean, np.einsum("mna,mnb->nab", shift, shift) / (members - 1)

    def _combinations(self, targets: Array) -> Array:
        """Return the ratios `(M, N, A)` of targets `(M, N, A)` of which each takes a member of its own."""
        mixed = np.stack([targets[self._pairing[:, a], :, a] for a in range(targets.shape[2])], axis=-1)
        return self._to_reference_point(mixed)

    def _to_reference_point(self, targets: Array) -> Array:
        ratios = self._expansion.ratios(targets)
        theta = self.monomials.point(self.reference_point)
        at_point = ratios @ self.monomials.evaluate(theta)
        result: Array = ratios / np.where(at_point > 0, at_point, np.nan)[..., None]
        if not theta.any():
            result[..., 0] = np.where(np.isnan(result[..., 0]), np.nan, 1.0)
        return result

    def _slopes_to_reference_point(self, targets: Array) -> Array:
        """Return the derivatives of `_to_reference_point` in the targets of each event, `(N, A, A)`."""
        weights = self.monomials.evaluate(self.monomials.point(self.reference_point))
        ratios = self._expansion.ratios(targets)
        at_point = ratios @ weights
        scale = np.where(at_point > 0, at_point, np.nan)[:, None, None]
        shares = np.eye(len(weights)) - ratios[:, :, None] / scale * weights
        slopes: Array = shares / scale @ self._expansion.inverse
        return slopes

    def _diagnostics(self, inputs: EventInputs) -> Diagnostics:
        columns = {"outside": self.model.outside(inputs.features)}
        residual = self.model.residual(inputs)
        if residual is not None:
            columns["projection_residual"] = residual
        return Diagnostics(columns)


def _is_independent(metadata: StoreMetadata) -> bool:
    """Return whether the weights of events were imported as independent of θ."""
    section = metadata.config.get("import")
    return isinstance(section, dict) and bool(section.get("theta_independent"))


def pairing(model: SbiModel) -> NDArray[np.int64]:
    """Return which member each target takes in each combination, `(M, A)`; one member for all where they share one."""
    members, size = model.record.config.network.members, len(model.record.means)
    generator = numpy_generator(model.record.seed, "sbi", "pairing")
    same = np.arange(members)
    config = model.record.config
    together = config.network.bootstrap or (config.network.sees_objects and config.network.shared)
    if together or config.method not in ("derivatives", "morphing"):
        return np.stack([same] * size, axis=1)
    return np.stack([generator.permutation(members) for _ in range(size)], axis=1)


def sbi_job(
    folder: Path,
    store: Path,
    source: str = SOURCE,
    files: CoefficientFiles | None = None,
    of_others: bool = False,
) -> EstimatorJob:
    """Return a trained estimator as a job of `partonic.estimators.run.estimate_store`.

    Args:
        folder: of the model.
        store: whose events will be estimated.
        source: its name in `inference.source`.
        files: of coefficients that are features, by name.
        of_others: whether the events may be of another process.

    Raises:
        ModelError: if the model is missing or damaged.
        ConfigError, EventFileError: if coefficients that are features are not there for the events of the store.
    """
    record = SbiModel.load(folder).record
    digests = EventFeatures(record.features, EventStore.open(store), files).digests
    return EstimatorJob(
        name=record.process,
        source=source,
        fingerprint=model_fingerprint(folder),
        load=partial(_load, folder, store, source, files, of_others),
        settings={"coefficients": digests} if digests else {},
        config={"sbi": record.config.model_dump(mode="json")},
        seed=record.seed,
        reads_objects=record.slots is not None,
    )


def members_of(folder: Path, store: Path, event_id: NDArray[np.int64], files: CoefficientFiles | None = None) -> Array:
    """Return the ratios of events by each member of a trained ensemble, `(M, N, A)`.

    Args:
        folder: of the model.
        store: of the events.
        event_id: their numbers, in the order of the store, `(N,)`.
        files: of coefficients that are features, by name.

    Raises:
        ModelError: if the model is missing or damaged.
    """
    estimator = _load(folder, store, SOURCE, files, False, "cpu")
    columns = tuple(dict.fromkeys(("event_id", *estimator.columns)))
    parts = [
        estimator.members(batch.filter(np.isin(batch.column("event_id"), event_id)))
        for batch in EventStore.open(store).batches(columns, accepted_only=True)
    ]
    whole: Array = np.concatenate(parts, axis=1)
    return whole


def _load(
    folder: Path, store: Path, source: str, files: CoefficientFiles | None, of_others: bool, device: str
) -> SbiEstimator:
    model = SbiModel.load(folder, device)
    features = EventFeatures(model.record.features, EventStore.open(store), files)
    return SbiEstimator(model, features, folder, source, of_others)
