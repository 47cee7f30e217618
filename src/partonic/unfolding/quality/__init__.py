"""How good an unfolding model is: bias, spectra, calibration and coverage on events that it was not trained on."""

from partonic.unfolding.quality.accumulator import QualityAccumulator
from partonic.unfolding.quality.bias import BinnedBias, binned_bias
from partonic.unfolding.quality.classifier import ClassifierScore, ClassifierSettings, classifier_two_sample_test
from partonic.unfolding.quality.events import EvaluatedEvents, PartonDensity
from partonic.unfolding.quality.observables import PARTICLES
from partonic.unfolding.quality.ranks import RankTest, coverage, ks_distance, ks_limit, rank_of_truth, rank_test
from partonic.unfolding.quality.result import UnfoldingQuality, ValueWithError
from partonic.unfolding.quality.single_event import SingleEvent

__all__ = [
    "PARTICLES",
    "BinnedBias",
    "ClassifierScore",
    "ClassifierSettings",
    "EvaluatedEvents",
    "PartonDensity",
    "QualityAccumulator",
    "RankTest",
    "SingleEvent",
    "UnfoldingQuality",
    "ValueWithError",
    "binned_bias",
    "classifier_two_sample_test",
    "coverage",
    "ks_distance",
    "ks_limit",
    "rank_of_truth",
    "rank_test",
]
