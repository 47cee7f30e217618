"""Identification of jets of CMS from their composition, for NanoAOD from version 15 on, which has no `Jet_jetId`.

The criteria are those that CMS recommends for PUPPI jets in 2022 and later (JME: "Jet identification for the 13.6 TeV
data"), which it also distributes as ``AK4PUPPI_Tight`` and ``AK4PUPPI_TightLeptonVeto`` with its corrections.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Int, Shaped

from partonic.errors import ConfigError
from partonic.events.readers.root.batch import Batch

__all__ = ["COMPONENTS", "TIGHT", "TIGHT_LEPTON_VETO", "check_bits", "identification", "passed"]

TIGHT, TIGHT_LEPTON_VETO = 2, 4
_LOOSE = 1

COMPONENTS: Mapping[str, Sequence[str]] = {
    "jet_neutral_hadron": ("Jet_neHEF",),
    "jet_neutral_em": ("Jet_neEmEF",),
    "jet_charged_hadron": ("Jet_chHEF",),
    "jet_charged_em": ("Jet_chEmEF",),
    "jet_muon": ("Jet_muEF",),
    "jet_charged_multiplicity": ("Jet_chMultiplicity",),
    "jet_neutral_multiplicity": ("Jet_neMultiplicity",),
}
"""Fractions of energy and numbers of particles from which the identification is computed."""


def check_bits(wanted: int) -> None:
    """Check that the bits that a jet needs are bits of the identification.

    Raises:
        ConfigError: if there are others.
    """
    if wanted & ~(_LOOSE | TIGHT | TIGHT_LEPTON_VETO):
        raise ConfigError(
            f"import.jet_identification: {wanted} has bits that the identification lacks; expected 0 (none), 2 "
            "(tight), 4 or 6 (tight with lepton veto)"
        )


def passed(values: Shaped[np.ndarray, " jets"], wanted: int) -> Bool[np.ndarray, " jets"]:
    """Return which jets have all wanted bits; of a branch of true and false, which are true."""
    if values.dtype == np.bool_:
        return values
    bits = values.astype(np.int64)
    result: Bool[np.ndarray, " jets"] = (bits & wanted) == wanted
    return result


def identification(batch: Batch) -> Int[np.ndarray, " jets"]:
    """Return the bits of the identification of each jet, from its composition: 2 tight, 4 tight with lepton veto.

    The loose criteria of 2016 are implied by the tight ones, and their bit is set with them.
    """
    names = {name.removeprefix("jet_"): name for name in COMPONENTS}
    jets = batch.objects(eta="jet_eta", **names)
    eta = np.abs(jets["eta"].astype(np.float64))
    neutral_hadron, neutral_em = jets["neutral_hadron"], jets["neutral_em"]
    charged = jets["charged_multiplicity"].astype(np.int64)
    neutral = jets["neutral_multiplicity"].astype(np.int64)
    central = (neutral_hadron < 0.99) & (neutral_em < 0.90) & (charged + neutral > 1)
    central &= (jets["charged_hadron"] > 0.01) & (charged > 0)
    edge = (neutral_hadron < 0.90) & (neutral_em < 0.99)
    forward = (neutral_em < 0.40) & (neutral >= 2)
    tight = np.select([eta <= 2.6, eta <= 2.7, eta <= 3.0], [central, edge, neutral_hadron < 0.99], forward)
    no_lepton = (eta > 2.7) | ((jets["muon"] < 0.80) & (jets["charged_em"] < 0.80))
    return np.where(tight, _LOOSE | TIGHT, 0) | np.where(tight & no_lepton, TIGHT_LEPTON_VETO, 0)
