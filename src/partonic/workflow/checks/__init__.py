"""Single questions of `partonic check`."""
