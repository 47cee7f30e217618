"""A posterior of weights beside the weights of a model folder: ``posterior.safetensors``, whole or absent."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch

from partonic.errors import ModelError
from partonic.files import atomic_output
from partonic.nn.bayesian.posterior import EnsemblePosterior, GaussianPosterior, LaplacePosterior, WeightPosterior
from partonic.trained.model_files import POSTERIOR

__all__ = ["load_posterior", "save_posterior"]

_KINDS: dict[str, type[WeightPosterior]] = {
    each.kind: each for each in (GaussianPosterior, LaplacePosterior, EnsemblePosterior)
}
_OF_DRAWS = "numbered/"
_MEND = "Copy the whole folder anew, or train the model again"


def save_posterior(folder: Path, posterior: WeightPosterior | None) -> dict[str, str] | None:
    """Write the posterior of a model into its folder, or take away one that was there before.

    Returns:
        its kind and the checksum of its file, for the record of the model; None for no posterior.

    Raises:
        OutputError: if it cannot be written.
    """
    if posterior is None:
        (folder / POSTERIOR).unlink(missing_ok=True)
        return None
    numbered = {f"{_OF_DRAWS}{name}": values for name, values in posterior.numbered.items()}
    whole = {name: values.detach().contiguous().clone() for name, values in (posterior.tensors() | numbered).items()}
    # One entry: several are written in an order that changes from call to call, and with it the checksum.
    content = safetensors.torch.save(whole, {"seed": str(posterior.seed)})
    with atomic_output(folder / POSTERIOR) as temporary:
        temporary.write_bytes(content)
    return {"kind": posterior.kind, "sha256": hashlib.sha256(content).hexdigest()}


def load_posterior(folder: Path, record: Mapping[str, str]) -> WeightPosterior:
    """Read the posterior of a model.

    Args:
        folder: of the model.
        record: what `save_posterior` gave.

    Raises:
        ModelError: if it is missing, damaged, or not that of the record.
    """
    path = folder / POSTERIOR
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != record["sha256"]:
            raise ModelError(f"{path} is damaged, or of another training: its checksum differs. {_MEND}")
        with safetensors.safe_open(path, framework="pt") as content:
            known = content.metadata() or {}
            tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118, no mapping
        numbered = {name.removeprefix(_OF_DRAWS): tensors.pop(name) for name in list(tensors) if _OF_DRAWS in name}
        return _KINDS[record["kind"]].of_tensors(int(known["seed"]), tensors, numbered)
    except (OSError, safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelError(f"cannot read the posterior of the weights {path}: {error}. {_MEND}") from error
