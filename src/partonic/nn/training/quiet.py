"""Lightning without its advertisements: notes and known false alarms are held back, warnings and errors are not."""

import contextlib
import logging
import warnings
from collections.abc import Iterator

__all__ = ["quiet_lightning"]

_FALSE_ALARMS = (
    ".*does not have many workers.*",  # batches are slices of tensors: workers would slow them down
    ".*in eval mode at the start of training.*",  # frozen networks are
    ".*LeafSpec.*is deprecated.*",  # Lightning's own use of torch
)


@contextlib.contextmanager
def quiet_lightning() -> Iterator[None]:
    """Within the block Lightning logs only warnings and errors, and none of its false alarms."""
    loggers = [logging.getLogger(name) for name in ("lightning", "lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in _FALSE_ALARMS:
            warnings.filterwarnings("ignore", message)
        try:
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
