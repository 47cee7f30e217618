"""Lightning's checkpoints as safetensors and JSON: no pickle, whole or absent."""

from pathlib import Path
from typing import Any

from lightning.fabric.plugins import CheckpointIO

from partonic.nn.training.tensor_file import read_state, write_state

__all__ = ["SafeCheckpoints"]


class SafeCheckpoints(CheckpointIO):
    """Reads and writes checkpoints of Lightning's trainer with `partonic.nn.training.tensor_file`."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write a checkpoint atomically.

        Raises:
            TrainingError: if it holds something that is not data.
            OutputError: if it cannot be written.
        """
        write_state(Path(path), checkpoint)

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """Read a checkpoint to the memory of the CPU; Lightning moves it from there.

        Raises:
            TrainingError: if it is missing or damaged.
        """
        return read_state(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink(missing_ok=True)
