"""What one phase of training needs to know."""

from dataclasses import asdict, dataclass
from typing import Literal

from partonic.config.networks import NetworkTrainingConfig

__all__ = ["PhaseSettings"]


@dataclass(frozen=True)
class PhaseSettings:
    """Settings of one phase of training."""

    name: str
    """Name of the phase; with the seed it keys every random draw."""

    epochs: int
    """Epochs at most."""

    batch_size: int = 1024
    """Events per step, on each device."""

    learning_rate: float = 1e-3
    """Largest learning rate."""

    schedule: Literal["one_cycle", "exponential", "plateau"] = "one_cycle"
    """How the learning rate changes (`partonic.nn.training.schedule`)."""

    decay: float = 0.9
    """Factor of the schedules ``exponential`` and ``plateau``."""

    plateau_patience: int = 5
    """Epochs without improvement after which ``plateau`` lowers the rate."""

    weight_decay: float = 0.0
    """Weight decay of AdamW."""

    gradient_clip: float | None = 1.0
    """Largest norm of the gradient."""

    patience: int | None = None
    """Stop after this many epochs without improvement."""

    average: float | None = None
    """Decay of the moving average of the weights, e.g. 0.999; None for none. Validation and result then use it."""

    multiplier_rate: float = 0.1
    """Rise of a multiplier in a step for one unit of violation."""

    max_skipped: int = 20
    """Steps in a row with a non-finite loss or gradient that are skipped before training gives up."""

    accelerator: str = "auto"
    """Lightning's accelerator."""

    devices: int | Literal["auto"] = "auto"
    """Devices per node."""

    nodes: int = 1
    """Nodes."""

    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    """Arithmetic of the networks."""

    logger: Literal["csv", "tensorboard"] = "csv"
    """Tables in the phase's folder are always written; ``tensorboard`` writes its event files beside them."""

    @classmethod
    def from_config(cls, config: NetworkTrainingConfig, name: str, epochs: int) -> "PhaseSettings":
        """Return the settings of the phase `name` of the training of a section, over so many epochs."""
        return cls(
            name=name, epochs=epochs, average=config.average, batch_size=config.batch_size,
            learning_rate=config.learning_rate, weight_decay=config.weight_decay, gradient_clip=config.gradient_clip,
            patience=config.patience, accelerator=config.accelerator, devices=config.devices, nodes=config.nodes,
            precision=config.precision,
        )  # fmt: skip

    def mathematical(self) -> dict[str, object]:
        """Return what the result depends on: all but the machine and the logger."""
        machine = {"accelerator", "devices", "nodes", "logger"}
        return {key: value for key, value in asdict(self).items() if key not in machine}
