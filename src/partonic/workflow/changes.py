"""Why a step must run: what differs between what it ran with and what it would run with now."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from partonic.workflow.state import StepIdentity, StepRecord, WorkflowState
from partonic.workflow.step import family_of_step

__all__ = ["changed_inputs", "changed_settings", "reasons_to_run"]

_SHOWN = 8
"""Settings that are named; of more, their number."""

_WRITTEN_AS = {
    "sample": {"views": "unfolding.views", "sampling": "unfolding.sampling"},
    "mem": {"max_events": "mem.max_events", "decays": "simulation.decays"},
    "classical": {"max_events": "classical.max_events", "selection": "simulation.selection"},
}
"""Where the settings of a step stand in the analysis file, where that is not their name."""


def reasons_to_run(step: str, identity: StepIdentity, outputs: Sequence[Path], state: WorkflowState) -> tuple[str, ...]:
    """Return why a step would run with this identity; empty if it is up to date.

    Args:
        step: name of the step.
        identity: what it would work on.
        outputs: the files that it leaves.
        state: the records of the output folder.
    """
    record = state.records.get(step)
    if record is None:
        return ("never ran here",)
    same = record.fingerprint == identity.fingerprint
    if not record.finished:
        if same:
            return ("was interrupted and goes on",)
        return ("was interrupted, with other settings or files", *_differences(step, identity, record, state))
    if not same:
        return _differences(step, identity, record, state)
    return tuple(_damage(outputs, record, state))


def changed_settings(step: str, before: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Return the settings of a step that differ, as ``"generation.events: 100 → 200"``.

    Args:
        step: name of the step.
        before: settings as they are recorded.
        now: settings as the step tells them.
    """
    old, new = dict(_flat(_as_written(step, before))), dict(_flat(_as_written(step, now)))
    every = old.keys() | new.keys()
    # a section that was null is told by what is in it now
    null = {above for key in every for above in _above(key) if old.get(above, new.get(above)) is None}
    keys = sorted(key for key in every - null if key not in old or key not in new or old[key] != new[key])
    lines = [f"{key}: {_shown(old, key)} → {_shown(new, key)}" for key in keys[:_SHOWN]]
    return lines + ([f"and {len(keys) - _SHOWN} more settings"] if len(keys) > _SHOWN else [])


def changed_inputs(step: str, paths: Sequence[Path], record: StepRecord, state: WorkflowState) -> list[str]:
    """Return what differs between the files that a step read and those that it would read; missing ones are left out.

    Args:
        step: name of the step.
        paths: that it would read.
        record: of its last run.
        state: the records of the output folder.
    """
    known = record.inputs
    if known is None:  # an earlier version wrote down only which files were read or written
        known = [name for name in record.files if not name.startswith(f"{step}/")]
    names = {state.name_of(path): path for path in paths}
    lines = [f"it reads {name}, which it did not read before" for name in names if name not in known]
    lines += [f"it no longer reads {name}" for name in known if name not in names]
    for name in known:
        path = names.get(name)
        if path is not None and path.is_file() and state.digest(path) != record.files[name].digest:
            lines.append(f"its input {name} has changed")
    return lines


def _differences(step: str, identity: StepIdentity, record: StepRecord, state: WorkflowState) -> tuple[str, ...]:
    lines = []
    if record.version is not None and record.version != identity.version:
        lines.append(f"this version of partonic does the step in another way (version {identity.version} of it)")
    if record.settings is not None:
        lines += changed_settings(step, record.settings, identity.settings)
    lines += changed_inputs(step, identity.inputs, record, state)
    if lines:
        return tuple(lines)
    return ("its settings have changed; which ones is not known, for an earlier version of partonic ran it",)


def _damage(outputs: Sequence[Path], record: StepRecord, state: WorkflowState) -> Iterator[str]:
    for path in outputs:
        if not path.is_file():
            yield f"its output {path} is missing"
        elif not state.is_intact(path, record):
            yield f"its output {path} is not as it left it"


def _as_written(step: str, settings: Mapping[str, object]) -> dict[str, object]:
    """Return settings as JSON has them, under the keys of the analysis file."""
    variant = step.removeprefix(family_of_step(step)).lstrip(".")
    named = {"sbi": f"sbi.also.{variant}"} if variant else _WRITTEN_AS.get(step, {})
    plain = json.loads(json.dumps(dict(settings)))
    return {named.get(key, key): value for key, value in plain.items()}


def _above(key: str) -> Iterator[str]:
    """Yield the keys of the sections that a key is in."""
    while "." in key:
        key = key.rpartition(".")[0]
        yield key


def _shown(settings: Mapping[str, object], key: str) -> str:
    """Return a value as an analysis file has it."""
    value = settings.get(key, "not there")
    return json.dumps(value) if value is None or isinstance(value, bool) else f"{value}"


def _flat(settings: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield every value with its dotted key; a list is one value."""
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
