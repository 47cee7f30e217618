"""A step that was stopped: which one, what of its work is kept, and what the same command does next time."""

from pathlib import Path

from partonic.workflow.step import family_of_step

__all__ = ["StepInterrupted", "kept_work"]

_KEPT = {
    "generate": "the training of the sampler up to its last round, and the finished chunks of events",
    "simulate": "the finished chunks of events",
    "import": "with `import.reweight` the finished chunks of the reweighting",
    "train": "the last checkpoint of the training",
    "train_mem": "the parts that are trained, and the last checkpoint of the one at work",
    "train_surrogate": "the last checkpoint of the network at work",
    "sample": "the finished batches of events",
    "mem": "the finished batches of events",
    "classical": "the finished batches of events",
    "train_sbi": "the last checkpoint of the training",
    "sbi": "the finished batches of events",
    "infer": "the finished pseudo-experiments",
}
"""What the steps take up again; one that is not named begins anew."""


class StepInterrupted(KeyboardInterrupt):
    """A `KeyboardInterrupt` that knows which step it stopped.

    Attributes:
        step: name of the step.
        folder: of its files.
        seconds: that it has worked, earlier interrupted runs included; None if not known.
    """

    def __init__(self, step: str, folder: Path, seconds: float | None) -> None:
        super().__init__(step)
        self.step = step
        self.folder = folder
        self.seconds = seconds


def kept_work(step: str, folder: Path) -> str:
    """Return in words what is left of an interrupted step, and what becomes of it.

    Args:
        step: name of the step.
        folder: of its files.
    """
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    family = family_of_step(step)
    if family not in _KEPT or (step == "import" and not any(folder.glob("*.parts"))):
        return f"nothing of '{step}' is kept, it begins anew; the steps before it stay finished"
    if not files:
        return f"'{step}' had not finished anything yet and begins anew; the steps before it stay finished"
    size = sum(path.stat().st_size for path in files)
    return (
        f"kept: {_KEPT[family]} ({len(files)} file{'s' * (len(files) != 1)}, {size / 1e6:.1f} MB in {folder}); "
        f"'{step}' goes on from there"
    )
