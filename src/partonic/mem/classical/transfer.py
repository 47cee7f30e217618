"""The factorised transfer functions of the classical method, as one readable JSON file.

Leptons and the directions of jets are taken as measured. What is fitted: energy response of jets to b quarks and light
quarks, b tags, missing momentum, recoil, extra jets.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from partonic.errors import ModelError
from partonic.files import write_json
from partonic.mem.classical.extra_jets import ExtraJets
from partonic.mem.classical.recoil import MissingMomentum, Recoil
from partonic.mem.classical.response import JetResponse
from partonic.mem.classical.tagging import TagProbability
from partonic.pretrained import pretrained_folder
from partonic.process_registry import default_process

__all__ = ["FILE_NAME", "TransferFunctions"]

FILE_NAME = "classical.json"
"""Name of the file that ships with the package, in the folder of its process."""

_VERSION = 1


@dataclass(frozen=True)
class TransferFunctions:
    """Factorised transfer functions.

    Attributes:
        bottom: response of jets to b quarks.
        light: response to the quarks of W → q q̄'.
        tags: b tags.
        missing: missing transverse momentum.
        recoil: transverse momentum of H t t̄.
        extra: jets of no quark.
        facts: what they were fitted to.
    """

    bottom: JetResponse
    light: JetResponse
    tags: TagProbability
    missing: MissingMomentum
    recoil: Recoil
    extra: ExtraJets
    facts: dict[str, Any]

    def save(self, path: Path) -> None:
        """Write the functions to a JSON file, atomically.

        Raises:
            OutputError: if it cannot be written.
        """
        parts = {
            name: getattr(self, name).as_json() for name in ("bottom", "light", "tags", "missing", "recoil", "extra")
        }
        write_json(path, {"classical_transfer_functions": _VERSION, **parts, "facts": self.facts})

    @classmethod
    def load(cls, path: Path) -> "TransferFunctions":
        """Read what `save` wrote.

        Raises:
            ModelError: if there is no such file, or it is not one of ours.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                f"cannot read the transfer functions {path}: {error}. Fit them with fit_transfer_functions"
            ) from error
        version = content.get("classical_transfer_functions") if isinstance(content, dict) else None
        if version != _VERSION:
            raise ModelError(
                f"{path} holds no transfer functions of version {_VERSION} (found {version}): fit them again with "
                "fit_transfer_functions"
            )
        try:
            return cls(
                bottom=JetResponse.from_json(content["bottom"]),
                light=JetResponse.from_json(content["light"]),
                tags=TagProbability.from_json(content["tags"]),
                missing=MissingMomentum(**{name: float(value) for name, value in content["missing"].items()}),
                recoil=Recoil.from_json(content["recoil"]),
                extra=ExtraJets.from_json(content["extra"]),
                facts=dict(content["facts"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} lacks or garbles a part of the transfer functions: {error}") from error

    @classmethod
    def pretrained(cls, process: str | None = None) -> "TransferFunctions":
        """Return the functions that ship with the package for `process`; None: the default one.

        Raises:
            ModelError: if none ship for this process.
        """
        return cls.load(pretrained_folder(process or default_process()) / FILE_NAME)
