"""The matrix element method with trained models as an estimator."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from partonic.config.mem import MemConfig
from partonic.events.batch import PHOTON_COLUMNS, RECO_COLUMNS, EventBatch
from partonic.events.schema import StoreMetadata
from partonic.inference.coefficients.coefficients_file import CrossSectionRecord
from partonic.inference.coefficients.event_coefficients import EventCoefficients
from partonic.mem.integral.diagnostics import IntegralDiagnostics
from partonic.mem.integral.importance_sampling import EventIntegrator
from partonic.mem.integral.integrand import Ingredients
from partonic.mem.integral.result import integral_figures
from partonic.mem.store_decays import check_objects
from partonic.mem.uncertainty.weight_draws import facts_of_weights
from partonic.polynomial import Monomials
from partonic.trained.compatibility import check_detector

__all__ = ["CrossSectionOf", "MemEstimator"]

CrossSectionOf = Callable[[Ingredients], CrossSectionRecord]


class MemEstimator:
    """P_a(x) from integrals over the partons of each event.

    Attributes:
        ingredients: process, models and proposal.
        config: settings of the integral.
        section: gives the fiducial cross section, when it is asked for; None if it is not known.
    """

    source = "mem"

    def __init__(
        self, ingredients: Ingredients, config: MemConfig, seed: int, section: CrossSectionOf | None = None
    ) -> None:
        self.ingredients = ingredients
        self.config = config
        self.section = section
        self._integrator = EventIntegrator(ingredients, config, seed)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the reconstructed objects that the integral knows."""
        return (*RECO_COLUMNS, *(PHOTON_COLUMNS if self.ingredients.decay_channel.photons else ()))

    @property
    def monomials(self) -> Monomials:
        """The monomials of the process."""
        return self.ingredients.process.monomials

    @property
    def reference_point(self) -> Mapping[str, float]:
        """θ = 0: the ratios are to P_0."""
        return {}

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that all models were trained on events like those of a store.

        Raises:
            SchemaError: naming what differs.
        """
        made_of = self.ingredients
        check_objects(made_of.decay_channel, metadata, where)
        models = (made_of.proposal, made_of.transfer, made_of.acceptance, made_of.initial_state)
        check_detector(models, metadata, where)

    def estimate(self, batch: EventBatch) -> EventCoefficients:
        """Return the integrals of events; each has random numbers of its own.

        Raises:
            NonFiniteError: if a factor of an integrand is NaN, or infinite.
        """
        return self._integrator.integrate(batch.reco(), batch.column("event_id").astype(np.int64))

    def cross_section(self) -> CrossSectionRecord | None:
        """Return the fiducial cross section."""
        return None if self.section is None else self.section(self.ingredients)

    def sample_cross_sections(self) -> tuple[CrossSectionRecord, ...]:
        """Return the fiducial cross section of each set of weights, if it depends on the acceptance."""
        if self.section is None or self.config.normalisation.method == "accepted":
            return ()
        return tuple(self.section(each) for each in self._integrator.drawn)

    def facts(self) -> dict[str, Any]:
        """Return the classes of initial states that are told apart, and which weights of networks are used."""
        found = self.ingredients.initial_state
        weights = facts_of_weights(self.ingredients, self.config.weight_samples)
        return {"initial_states": None if found is None else list(found.classes), **weights}

    def figures(self, coefficients: EventCoefficients) -> dict[str, Any]:
        """Return points, errors, and how many events hang on few points."""
        return integral_figures(coefficients, self.config)

    def quality(self, coefficients: EventCoefficients) -> dict[str, str]:
        """Return the median share of effective points."""
        good = coefficients.select(coefficients.usable())
        return {"effective": f"{np.median(IntegralDiagnostics.of(good).effective_share):.3f}"} if len(good) else {}
