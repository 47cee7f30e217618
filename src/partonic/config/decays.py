"""The section `simulation.decays`: what the shower may decay H, t, W and Z to, with the branching fractions.

A decay that is part of the matrix element is no business of this section. Which of the keys mean anything depends on
the process: `check_decays` refuses those that ask for the decay of a resonance that the shower does not decay.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import Field, model_serializer, model_validator

from partonic.config.base import SettingError, StrictModel

__all__ = [
    "HIGGS_BRANCHING_FRACTIONS",
    "PAIR_DECAYS",
    "SINGLE_TOP_DECAYS",
    "W_HADRONIC_FRACTION",
    "W_LEPTONIC_FRACTION",
    "Z_HADRONIC_FRACTION",
    "Z_INVISIBLE_FRACTION",
    "Z_LEPTONIC_FRACTION",
    "DecayConfig",
    "check_decays",
]

HIGGS_BRANCHING_FRACTIONS = {
    "bb": 0.5824, "tautau": 0.06272, "gammagamma": 0.00227, "WW": 0.2137, "ZZ": 0.02619, "inclusive": 1.0,
}  # fmt: skip
"""Higgs branching fractions at m_H = 125.0 GeV: LHC Higgs Cross Section Working Group, arXiv:1610.07922, appendix."""

W_LEPTONIC_FRACTION = 0.1086
"""W → ℓν for each lepton flavour, with universality (Review of Particle Physics 2024; ±0.0009)."""

W_HADRONIC_FRACTION = 0.6741
"""W → hadrons (Review of Particle Physics 2024; ±0.0027)."""

Z_LEPTONIC_FRACTION = 0.033658
"""Z → ℓ⁺ℓ⁻ for each lepton flavour, with universality (Review of Particle Physics 2024; ±0.000023)."""

Z_HADRONIC_FRACTION = 0.69911
"""Z → hadrons (Review of Particle Physics 2024; ±0.00056)."""

Z_INVISIBLE_FRACTION = 0.20000
"""Z → νν̄ of all flavours (Review of Particle Physics 2024; ±0.00055)."""

PAIR_DECAYS: Final = ("semileptonic", "dilepton", "all_hadronic", "inclusive")
"""Decays of a pair of tops."""

SINGLE_TOP_DECAYS: Final = ("hadronic", "leptonic", "inclusive")
"""Decays of one top."""

_SECTION: Final = ("simulation", "decays")
_SPECIES: Final = {"higgs": (25,), "tops": (6, -6), "w": (24, -24), "z": (23,)}
_SYMBOLS: Final = {25: "H", 6: "t", -6: "t̄", 24: "W⁺", -24: "W⁻", 23: "Z"}
_WITH_W: Final = ("inclusive", "WW")
_WITH_Z: Final = ("inclusive", "ZZ")


class DecayConfig(StrictModel):
    """Decays that Pythia is made to choose; their branching fractions enter all weights and the cross section.

    A key may ask only for the decay of a resonance of the process that its matrix element does not decay itself;
    defaults that mean nothing for a process are simply not used.
    """

    higgs: Literal["bb", "tautau", "gammagamma", "WW", "ZZ", "inclusive"] = "bb"
    """Decay of the Higgs boson. The bosons of `WW` and `ZZ` decay to anything."""

    tops: Literal["semileptonic", "dilepton", "all_hadronic", "hadronic", "leptonic", "inclusive"] = "semileptonic"
    """Decays of the W bosons of the tops. Of a pair: `semileptonic` (one goes to ℓν and the other to quarks, which of
    the two is drawn event by event), `dilepton` or `all_hadronic`; of a single top: `hadronic` or `leptonic`."""

    w: Literal["leptonic", "hadronic", "inclusive"] = "inclusive"
    """Decay of the W bosons that the process has beside those of tops."""

    z: Literal["leptonic", "hadronic", "invisible", "inclusive"] = "inclusive"
    """Decay of the Z bosons of the process."""

    leptons: tuple[Literal["e", "mu", "tau"], ...] = Field(default=("e", "mu"), min_length=1)
    """Lepton flavours of leptonic decays of W and Z."""

    @model_validator(mode="after")
    def _consistent(self) -> "DecayConfig":
        if len(set(self.leptons)) != len(self.leptons):
            raise SettingError(("leptons",), f"a flavour is listed twice in {list(self.leptons)}")
        for key, value, with_boson in (("tops", self.tops, _WITH_W), ("w", self.w, _WITH_W), ("z", self.z, _WITH_Z)):
            if self.higgs in with_boson and value != "inclusive":
                boson = "Z" if key == "z" else "W"
                message = (
                    f"a Higgs decay `{self.higgs}` contains {boson} bosons, whose decays cannot be forced: with higgs: "
                    f"{self.higgs} use {key}: inclusive"
                )
                raise SettingError(("higgs",), message)
        return self

    @model_serializer(mode="wrap")
    def _only_what_was_set(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Write the keys that were set, so that who reads them knows what was asked for and what is a default."""
        return {key: value for key, value in handler(self).items() if key in self.model_fields_set}

    @property
    def top_pair_fraction(self) -> float:
        """Branching fraction of the top pair to the decays asked for; the mirror image counts."""
        leptonic = W_LEPTONIC_FRACTION * len(self.leptons)
        return {
            "semileptonic": 2.0 * leptonic * W_HADRONIC_FRACTION,
            "dilepton": leptonic**2,
            "all_hadronic": W_HADRONIC_FRACTION**2,
            "inclusive": 1.0,
        }[self.tops]

    @property
    def single_top_fraction(self) -> float:
        """Branching fraction of one top to the decay asked for (t → bW is certain)."""
        return self._w_fraction(self.tops)

    @property
    def w_fraction(self) -> float:
        """Branching fraction of a W boson that comes from no top."""
        return self._w_fraction(self.w)

    @property
    def z_fraction(self) -> float:
        """Branching fraction of a Z boson."""
        return {
            "leptonic": Z_LEPTONIC_FRACTION * len(self.leptons),
            "hadronic": Z_HADRONIC_FRACTION,
            "invisible": Z_INVISIBLE_FRACTION,
            "inclusive": 1.0,
        }[self.z]

    @property
    def higgs_fraction(self) -> float:
        """Branching fraction of the Higgs boson to the decay asked for."""
        return HIGGS_BRANCHING_FRACTIONS[self.higgs]

    def _w_fraction(self, kind: str) -> float:
        leptonic = W_LEPTONIC_FRACTION * len(self.leptons)
        return {"leptonic": leptonic, "hadronic": W_HADRONIC_FRACTION, "inclusive": 1.0}[kind]

    def settings_in_use(self) -> dict[str, object]:
        """Return all settings as JSON-like values, without those of W and Z where nothing is asked of them."""
        bosons = {key: value for key, value in (("w", self.w), ("z", self.z)) if value != "inclusive"}
        return {"higgs": self.higgs, "tops": self.tops, **bosons, "leptons": list(self.leptons)}


def check_decays(decays: DecayConfig, process: str, of_shower: Sequence[tuple[int, ...]]) -> None:
    """Check that the decays asked for are decays of the process.

    Args:
        decays: the section.
        process: name of the process, for messages.
        of_shower: PDG ids that each of the resonances can have that the shower decays.

    Raises:
        SettingError: if a key that was set asks for the decay of a resonance that the shower does not decay, or tops
            are to decay as a pair where there is one, or the other way round.
    """
    there = {key: sum(set(ids) <= set(wanted) for ids in of_shower) for key, wanted in _SPECIES.items()}
    settings: Mapping[str, object] = decays.settings_in_use()
    for key, count in there.items():
        if key in decays.model_fields_set and settings.get(key, "inclusive") != "inclusive" and not count:
            raise SettingError(
                (*_SECTION, key), f"the shower decays no {_symbols(_SPECIES[key])} of {_has(process, of_shower)}"
            )
    if "leptons" in decays.model_fields_set and not (there["tops"] or there["w"] or there["z"]):
        raise SettingError((*_SECTION, "leptons"), f"the shower decays no t, W or Z of {_has(process, of_shower)}")
    if there["tops"]:
        _check_tops(decays, process, there["tops"])
    if there["tops"] and there["w"] and (decays.tops, decays.w) != ("inclusive", "inclusive"):
        message = f"the process '{process}' has t and W, whose W bosons can only be forced together: use inclusive"
        raise SettingError((*_SECTION, "w" if decays.w != "inclusive" else "tops"), message)


def _check_tops(decays: DecayConfig, process: str, tops: int) -> None:
    known = {1: SINGLE_TOP_DECAYS, 2: PAIR_DECAYS}.get(tops, ("inclusive",))
    if decays.tops not in known:
        count = {1: "one top", 2: "a top pair"}.get(tops, f"{tops} tops")
        message = f"the process '{process}' has {count}: expected {', '.join(known)}, got {decays.tops}"
        raise SettingError((*_SECTION, "tops"), message)


def _symbols(ids: Sequence[int]) -> str:
    return " or ".join(_SYMBOLS.get(pdg, str(pdg)) for pdg in ids)


def _has(process: str, of_shower: Sequence[tuple[int, ...]]) -> str:
    named = ", ".join(_symbols(ids) for ids in of_shower) or "nothing"
    return f"the process '{process}': it decays {named}. Leave the key out, or set it to inclusive where that is known"
