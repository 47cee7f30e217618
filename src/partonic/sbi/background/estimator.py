"""Log P_b(x) of events under a background, from the learned ratio to the signal, as an estimator like any other.

Learned ratios of the signal are in units of its density at the Standard Model, whose logarithm is therefore 0 for every
event. In these units the density of a background is

    log P_b(x) = log σ_b/σ_sig + log p_b(x)/p_sig(x) = log σ_b/σ_sig − log ρ(x).
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import ModelError, SchemaError
from partonic.estimators.estimator import EstimatorJob
from partonic.event_status import OK
from partonic.events.batch import EventBatch
from partonic.events.schema import StoreMetadata
from partonic.events.store import EventStore
from partonic.features.event_inputs import columns_of_inputs, inputs_of
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.diagnostics import Diagnostics
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.polynomial import Monomials
from partonic.sbi.background.model import BackgroundModel
from partonic.sbi.estimator import NO_FEATURES, NOT_FINITE, SOURCE
from partonic.sbi.stacking.features import CoefficientFiles, EventFeatures
from partonic.trained.model_files import model_fingerprint

__all__ = ["BackgroundEstimator", "background_job"]


class BackgroundEstimator:
    """Densities of events under one background.

    Attributes:
        model: the classifier.
        number: of the background in it.
        features: how its features are made from the events of a store.
        folder: of the model, for the record; None if it is not known.
        source: its name in `inference.source`.
    """

    monomials = Monomials.constant()
    reference_point: Mapping[str, float] = {}

    def __init__(
        self,
        model: BackgroundModel,
        name: str,
        features: EventFeatures,
        folder: Path | None = None,
        source: str = SOURCE,
    ) -> None:
        """Take a classifier and the name of one of its backgrounds.

        Raises:
            ModelError: if it does not know this background.
        """
        if name not in model.record.backgrounds:
            raise ModelError(
                f"the classifier knows the backgrounds {', '.join(model.record.backgrounds)}, not '{name}': train one "
                f"with `{source.replace('.', '.also.', 1)}.backgrounds.{name}`"
            )
        self.model, self.features, self.folder, self.source = model, features, folder, source
        self.number = model.record.backgrounds.index(name)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the inputs are made from."""
        return columns_of_inputs(self.features, self.model.record.slots, self.features.metadata)

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that events are of the collider that was learned; they may be of any process, or data.

        Raises:
            SchemaError: if they are not.
        """
        known = self.model.record.collider_energy
        if abs(metadata.collider_energy - known) > 1e-6 * known:
            raise SchemaError(
                f"{where} holds events of √S = {metadata.collider_energy:g} GeV, the networks know {known:g} GeV: "
                "train a model on such events"
            )

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the densities of events, with the scatter of the members for their relative error."""
        inputs = inputs_of(batch, self.features, self.model.record.slots)
        logs, spread = (each[:, self.number] for each in self.model.logs(inputs))
        there = self.features.has(batch)
        good: NDArray[np.bool_] = np.isfinite(logs) & np.isfinite(spread) & there
        nan = np.where(good, 1.0, np.nan)
        shift = float(np.log(self._sigma / self.model.record.signal_cross_section))
        return EventCoefficients(
            monomials=self.monomials,
            event_id=batch.column("event_id").astype(np.int64),
            ratios=nan[:, None].copy(),
            log_reference=np.where(good, logs + shift, np.nan),
            covariance=np.where(good, 0.0, np.nan)[:, None, None],
            status=tuple(
                OK if fine else NOT_FINITE if asked else NO_FEATURES for fine, asked in zip(good, there, strict=True)
            ),
            relative_error=np.where(good, spread, np.nan),
            source=self.source,
            diagnostics=Diagnostics({"outside": self.model.outside(inputs.features)}),
        )

    def cross_section(self) -> CrossSectionRecord:
        """Return σ_b."""
        return self.model.record.cross_sections[self.number]

    def facts(self) -> dict[str, Any]:
        """Return features and calibration."""
        record = self.model.record
        name = record.backgrounds[self.number]
        return {
            "method": "classifier against the signal",
            "features": list(record.features),
            "members": record.config.network.members,
            "model": None if self.folder is None else str(self.folder),
            "training": {name: value for name, value in record.facts.items() if name != "calibration"},
            "scale": record.scales[self.number],
            "calibration": record.facts["calibration"][name],
        }

    def figures(self, coefficients: EventCoefficients) -> dict[str, Any]:
        """Return the part of the events outside the range of the features, and the mean error of the ratio."""
        good = coefficients.usable()
        if not good.any():
            return {}
        outside = coefficients.diagnostics.columns["outside"][good]
        error = float(coefficients.relative_error[good].mean())
        return {"outside": float((outside > 0).mean()), "mean_relative_error": error}

    def quality(self, coefficients: EventCoefficients) -> dict[str, str]:
        """Return nothing: the progress has enough to say."""
        return {}

    @property
    def _sigma(self) -> float:
        return self.model.record.cross_sections[self.number].coefficients[0]


def background_job(
    folder: Path, name: str, store: Path, source: str = SOURCE, files: CoefficientFiles | None = None
) -> EstimatorJob:
    """Return a background as a job of `partonic.estimators.run.estimate_store`.

    Args:
        folder: of the classifier.
        name: of the background.
        store: whose events will be estimated.
        source: its name in `inference.source`.
        files: of coefficients that are features, by name.

    Raises:
        ModelError: if the model is missing or damaged.
        ConfigError, EventFileError: if coefficients that are features are not there for the events of the store.
    """
    record = BackgroundModel.load(folder).record
    digests = EventFeatures(record.features, EventStore.open(store), files).digests
    return EstimatorJob(
        name=name,
        source=source,
        fingerprint=model_fingerprint(folder),
        load=partial(_load, folder, name, store, source, files),
        settings={"background": name, **({"coefficients": digests} if digests else {})},
        config={"sbi": record.config.model_dump(mode="json")},
        seed=record.seed,
        reads_objects=record.slots is not None,
    )


def _load(
    folder: Path, name: str, store: Path, source: str, files: CoefficientFiles | None, device: str
) -> BackgroundEstimator:
    model = BackgroundModel.load(folder, device)
    features = EventFeatures(model.record.features, EventStore.open(store), files)
    return BackgroundEstimator(model, name, features, folder, source)
