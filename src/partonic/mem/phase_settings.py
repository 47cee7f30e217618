"""Settings of a phase of training from the section of a network."""

from partonic.config.mem_transfer import MemTrainingConfig
from partonic.nn.training import PhaseSettings

__all__ = ["phase_settings"]


def phase_settings(config: MemTrainingConfig, name: str) -> PhaseSettings:
    """Return the settings of the phase `name`."""
    return PhaseSettings(
        name=name, epochs=config.epochs, batch_size=config.batch_size, learning_rate=config.learning_rate,
        weight_decay=config.weight_decay, gradient_clip=config.gradient_clip, average=config.average,
        patience=config.patience, accelerator=config.accelerator, devices=config.devices, nodes=config.nodes,
        precision=config.precision,
    )  # fmt: skip
