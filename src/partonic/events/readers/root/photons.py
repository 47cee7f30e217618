"""Photons of NanoAOD and Delphes files: which branches are read, and which photons they identify."""

from collections.abc import Mapping, Sequence

import numpy as np

from partonic.config.importing import ImportConfig
from partonic.events.readers.notes import Notes
from partonic.events.readers.objects import Objects
from partonic.events.readers.root.batch import Batch
from partonic.events.readers.root.branches import Names

__all__ = ["DELPHES", "NANOAOD", "needed_photons", "photon_candidates", "photon_names", "wanted_photons"]

_CUT_BASED = {"loose": 1, "medium": 2, "tight": 3}
_MVA = {"mva90": "Photon_mvaID_WP90", "mva80": "Photon_mvaID_WP80"}

NANOAOD: Mapping[str, Sequence[str]] = {
    "photon_pt": ("Photon_pt",),
    "photon_eta": ("Photon_eta",),
    "photon_phi": ("Photon_phi",),
    "photon_isolation": ("Photon_pfRelIso03_all", "Photon_pfRelIso03_all_quadratic", "Photon_pfRelIso03_all_Fall17V2"),
    "photon_identification": ("Photon_cutBased", *_MVA.values()),
    "photon_veto": ("Photon_electronVeto",),
}
"""Branches of NanoAOD; of the identifications that one is read that `import.photons.identification` names, and the veto
of electrons is applied where a file has it."""

DELPHES: Mapping[str, Sequence[str]] = {
    "photon_pt": ("Photon.PT",),
    "photon_eta": ("Photon.Eta",),
    "photon_phi": ("Photon.Phi",),
    "photon_isolation": ("Photon.IsolationVar",),
}
"""Branches of Delphes, whose photons are identified already."""


def wanted_photons(candidates: Mapping[str, Sequence[str]], config: ImportConfig) -> dict[str, Sequence[str]]:
    """Return the quantities of photons that are read, with their candidates."""
    wanted = dict(candidates)
    working_point = config.photons.identification
    if "photon_identification" in wanted:
        wanted["photon_identification"] = (_MVA.get(working_point, "Photon_cutBased"),)
    if working_point == "none":
        wanted.pop("photon_identification", None)
    return wanted


def needed_photons(wanted: Mapping[str, Sequence[str]], config: ImportConfig) -> dict[str, Sequence[str]]:
    """Return those of the wanted quantities without which photons cannot be chosen as `config` asks."""
    spare = {"photon_veto"} | ({"photon_isolation"} if config.photons.isolation_max is None else set())
    return {name: branches for name, branches in wanted.items() if name not in spare}


def photon_names(
    names: Names, candidates: Mapping[str, Sequence[str]], config: ImportConfig, notes: Notes
) -> dict[str, str]:
    """Return the branches of a sample without those of photons, if they do not suffice.

    Args:
        names: branch of each quantity that all files of the sample have.
        candidates: `NANOAOD` or `DELPHES`.
        config: the section `import`.
        notes: told a warning if there are photons, but not all that is asked of them.
    """
    needed = needed_photons(wanted_photons(candidates, config), config)
    lacking = [" or ".join(needed[name]) for name in needed if name not in names]
    if not lacking:
        return dict(names)
    if "photon_pt" in names:
        notes.warn(
            f"photons are left out: the files lack {', '.join(lacking)}. Name the branches under import.branches, or "
            "ask for less: import.photons.identification: none, import.photons.isolation_max: null"
        )
    return {name: branch for name, branch in names.items() if not name.startswith("photon_")}


def photon_candidates(batch: Batch, config: ImportConfig) -> Objects | None:
    """Return the photons of a batch before any cut; None without photons.

    They have pt, eta, phi, identified, and isolation and identification where the files have them.
    """
    if "photon_pt" not in batch:
        return None
    features = [name for name in ("isolation", "identification", "veto") if f"photon_{name}" in batch]
    photons = batch.objects(**{name: f"photon_{name}" for name in ("pt", "eta", "phi", *features)})
    identified = np.ones(len(photons["pt"]), dtype=bool)
    if "identification" in features:
        values = photons["identification"].astype(np.int64)
        identified = values >= _CUT_BASED.get(config.photons.identification, 1)
        photons = photons.with_columns(identification=values)
    if "veto" in features:
        identified = identified & (photons["veto"] != 0)
    return photons.with_columns(identified=identified)
