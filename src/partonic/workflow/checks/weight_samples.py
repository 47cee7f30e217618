"""Whether networks have the sets of weights that `mem.weight_samples` asks for, told before events are integrated."""

from partonic.config.analysis import AnalysisConfig
from partonic.config.mem import MemConfig
from partonic.config.mem_training.section import MemNetworksConfig
from partonic.errors import ModelError

__all__ = ["check_weight_samples"]


def check_weight_samples(config: AnalysisConfig) -> None:
    """Look for the posteriors of transfer function and acceptance, or for the settings that will make them.

    Raises:
        ModelError: if neither network has one, or one has fewer sets of weights; or if one is damaged.
    """
    section = config.mem
    if section is None or not section.weight_samples:
        return
    here = section.model is None and config.mem_training is not None
    numbers = _of_training(config.mem_training) if here else _of_models(section, config.process.name)
    if not numbers:
        raise ModelError(
            f"mem.weight_samples asks for {section.weight_samples} sets of weights, but transfer function and "
            "acceptance are point models, whose weights have no uncertainty: train them with an `uncertainty` of the "
            "kind mean_field, repulsive or laplace in `mem_training.transfer` (and `mem_training.acceptance`), or set "
            "mem.weight_samples to 0"
        )
    for name, number in numbers.items():
        if number is not None and number < section.weight_samples:
            raise ModelError(
                f"mem.weight_samples asks for {section.weight_samples} sets of weights, the {name} has {number}: lower "
                f"it to {number} or less, or train with more"
            )


def _of_training(section: MemNetworksConfig | None) -> dict[str, int | None]:
    """Return how many sets of weights each network will have, None for no limit, of those with an uncertainty."""
    from partonic.mem.acceptance.train import CALIBRATED_DRAWS

    if section is None:
        return {}
    parts = {
        "transfer function": ("transfer", section.transfer.uncertainty, None),
        "acceptance": ("acceptance", section.acceptance.uncertainty, CALIBRATED_DRAWS),
    }
    return {
        name: asked.members if asked.kind == "repulsive" else limit
        for name, (part, asked, limit) in parts.items()
        if part in section.parts and asked.kind != "none"
    }


def _of_models(section: MemConfig, process: str) -> dict[str, int | None]:
    """Return how many sets of weights trained networks have, None for no limit, of those with a posterior."""
    from partonic.mem.models import component_folders
    from partonic.nn.bayesian.posterior_file import load_posterior
    from partonic.trained.model_folder import load_record

    folders = component_folders(section, process)
    records = {name: load_record(folders[part]).get("posterior") for name, part in _PARTS.items()}
    return {name: load_posterior(folders[_PARTS[name]], record).most for name, record in records.items() if record}


_PARTS = {"transfer function": "transfer", "acceptance": "acceptance"}
