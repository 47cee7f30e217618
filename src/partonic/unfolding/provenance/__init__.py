"""Provenance: which jet comes from H, from the hadronic top and from the leptonic top."""

from partonic.unfolding.provenance.candidates import SLOTS, TARGETS
from partonic.unfolding.provenance.decoding import decode_assignment
from partonic.unfolding.provenance.efficiency import AssignmentEfficiency, Fraction, assignment_efficiencies
from partonic.unfolding.provenance.losses import provenance_losses
from partonic.unfolding.provenance.mass_baseline import MassBaseline
from partonic.unfolding.provenance.network import AssignmentNetwork
from partonic.unfolding.provenance.prediction import ProvenancePrediction
from partonic.unfolding.provenance.reliability import ReliabilityBin, jet_reliability
from partonic.unfolding.provenance.scores import CandidateScores
from partonic.unfolding.provenance.truth import TRUTH_COLUMNS, AssignmentTruth, assignment_truth

__all__ = [
    "SLOTS",
    "TARGETS",
    "TRUTH_COLUMNS",
    "AssignmentEfficiency",
    "AssignmentNetwork",
    "AssignmentTruth",
    "CandidateScores",
    "Fraction",
    "MassBaseline",
    "ProvenancePrediction",
    "ReliabilityBin",
    "assignment_efficiencies",
    "assignment_truth",
    "decode_assignment",
    "jet_reliability",
    "provenance_losses",
]
