"""Normalisation of NanoAOD: the sum of the weights of all generated events, as the file states it, against its events.

The tree `Runs` has one row for each file that was merged into this one, with the number of events that were generated
for it and the sum of their weights, also where only some of them are kept (a skim). What is stated must hold at least
what is counted; a file that states less lost a part of its `Runs`, and would be normalised wrongly.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.files import EventFile
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.batch import read_steps
from partonic.events.readers.root.file import RootFile, Tree

__all__ = ["COUNTS", "SUMS", "GeneratorSums", "generator_sums", "normalisation"]

_TREES = ("Runs", "LuminosityBlocks")
SUMS = ("genEventSumw", "genEventSumw_")
COUNTS = ("genEventCount", "genEventCount_")
_SQUARES = ("genEventSumw2", "genEventSumw2_")
"""Names of sums; those with the underscore are of NanoAOD version 6."""

_LIKE_A_SUM = re.compile(r"(?i)sum_?w(?!2)|sum_?of_?weight|total_?weight|sum_?weight|weight_?sum").search
_VARIATION = re.compile(r"(?i)^n?(LHE|PS|GenModel)\w*Sumw").match
_OF_A_MODEL = re.compile(r"^genEventSumw_(\w+)$").match
_ROUNDING = 1e-4
_SINGLE = 2.0**-24
"""Relative rounding of weights in single precision, as NanoAOD has them."""
_STEP = 1_000_000


@dataclass(frozen=True)
class _Counted:
    """Number of events of a file, and sums over their weights w: Σw, Σ|w|, Σw²; and whether all |w| are equal."""

    events: int
    total: float
    size: float
    squares: float
    equal: bool


@dataclass(frozen=True)
class _Stated:
    """Rows of a `Runs` tree: Σw of each, number of generated events and Σw² where they are stated."""

    tree: str
    sums: tuple[float, ...]
    counts: tuple[int, ...] | None
    squares: float | None


@dataclass(frozen=True)
class GeneratorSums:
    """What normalises one file, without the events that are left out.

    Attributes:
        file: the file.
        events: number of its events.
        generated: number of events generated for it, as far as it is known.
        sum_of_weights: of all generated events.
        tree: where that is stated; None if the sum is that of the events.
        rows: numbers and sums that the rows of that tree state, if weights of events differ: they tell copies.
    """

    file: EventFile
    events: int
    generated: int
    sum_of_weights: float
    tree: str | None
    rows: tuple[tuple[int | None, float], ...] = ()


def generator_sums(
    file: RootFile, tree: Tree, weight: str, branches: Mapping[str, str], left_out: frozenset[int], notes: Notes
) -> GeneratorSums:
    """Look at the weights of all events of a file, and at what it states of all generated events.

    Args:
        file: the open file.
        tree: its events.
        weight: branch of the generator weight.
        branches: branches that the user names (`sum_of_weights`, `generated_events`).
        left_out: numbers of events of this file that are treated as if they were not in it.
        notes: told what is strange.

    Raises:
        EventFileError: if the file states less than its events have, or sums of unknown names.
    """
    counted, gone = _counted(tree, weight, left_out)
    stated = _stated(file, branches, notes)
    if stated is None:
        return GeneratorSums(file.file, counted.events, counted.events, counted.total, None)
    whole = _Counted(counted.events + gone.events, counted.total + gone.total, counted.size + gone.size,
                     counted.squares + gone.squares, counted.equal)  # fmt: skip
    _check_at_least(file.file, stated, whole)
    generated = whole.events if stated.counts is None else sum(stated.counts)
    counts: Iterable[int | None] = [None] * len(stated.sums) if stated.counts is None else stated.counts
    rows = () if counted.equal else tuple(zip(counts, stated.sums, strict=True))
    total = sum(stated.sums)
    if gone.events:
        whole_run = stated.counts is not None and generated == whole.events
        total = counted.total if whole_run else _without(file.file, total, gone)
    return GeneratorSums(file.file, counted.events, generated - gone.events, total, stated.tree, rows)


def _without(file: EventFile, total: float, gone: _Counted) -> float:
    """Return a sum without the weights of some events.

    Raises:
        EventFileError: if these are so large that rounding is all that remains.
    """
    left = total - gone.total
    if _SINGLE * gone.size > _ROUNDING * abs(left):
        raise EventFileError(
            f"{file}: the events that are left out have {gone.total:.6g} of the {total:.6g} that its tree states as "
            "the sum of weights of all generated events; what remains is lost in rounding. Get the sum without them, "
            "and import the file without them"
        )
    return left


def _counted(tree: Tree, weight: str, left_out: frozenset[int]) -> tuple[_Counted, _Counted]:
    """Return the sums over the events that stay, and over those that are left out."""
    parts: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    smallest, largest = np.inf, 0.0
    for batch in read_steps(tree, {"generator_weight": weight}, _STEP):
        values = batch.scalar("generator_weight").astype(np.float64)
        gone = np.isin(batch.numbers, list(left_out))
        for part, chosen in zip(parts, (values[~gone], values[gone]), strict=True):
            part.append(np.array([len(chosen), chosen.sum(), np.abs(chosen).sum(), (chosen**2).sum()]))
        smallest, largest = min(smallest, np.abs(values).min()), max(largest, np.abs(values).max())
    equal = bool(largest - smallest <= 1e-6 * largest)
    stay, leave = (np.sum(part, axis=0) if part else np.zeros(4) for part in parts)
    return _of_sums(stay, equal), _of_sums(leave, equal)


def _of_sums(sums: np.ndarray, equal: bool) -> _Counted:
    return _Counted(int(sums[0]), float(sums[1]), float(sums[2]), float(sums[3]), equal)


def _stated(file: RootFile, branches: Mapping[str, str], notes: Notes) -> _Stated | None:
    unknown: list[str] = []
    wanted = branches.get("sum_of_weights")
    for name in _TREES:
        tree = file.optional_tree(name)
        if tree is None:
            continue
        sums = [branch for branch in ((wanted,) if wanted else SUMS) if branch in tree.branches]
        if len(sums) > 1:
            raise EventFileError(
                f"{file.file}: the tree '{name}' has {' and '.join(sums)}, of different versions of NanoAOD: name the "
                "right one under import.branches: `sum_of_weights: <branch>`"
            )
        if sums:
            return _read_rows(tree, sums[0], branches, notes)
        unknown += [f"{branch} ({name})" for branch in tree.branches if _LIKE_A_SUM(branch) and not _VARIATION(branch)]
    if wanted:
        message = f"{file.file}: the trees {' and '.join(_TREES)} lack the branch {wanted} of import.branches"
        raise EventFileError(f"{message} (sum_of_weights)")
    if unknown:
        raise EventFileError(
            f"{file.file} has sums of weights under names that are not known: {', '.join(unknown)}. If one is the sum "
            "of the generator weights of all generated events, name it under import.branches: `sum_of_weights: "
            "<branch>`, and their number: `generated_events: <branch>`"
        )
    return None


def _read_rows(tree: Tree, sum_branch: str, branches: Mapping[str, str], notes: Notes) -> _Stated:
    models = [branch for branch in tree.branches if (match := _OF_A_MODEL(branch)) and match[1]]
    if models:
        notes.warn(
            f"{tree.file} states sums of weights of {len(models)} models ({', '.join(models[:3])}, ...): its events "
            "are of several models, but the sample has one cross section"
        )
    wanted = branches.get("generated_events")
    count = next((name for name in ((wanted,) if wanted else COUNTS) if name in tree.branches), None)
    if wanted and count is None:
        raise EventFileError(
            f"{tree.file}: '{tree.name}' lacks the branch {wanted} (import.branches: generated_events)"
        )
    squares = next((name for name in _SQUARES if name in tree.branches and sum_branch in SUMS), None)
    names = {"sum": sum_branch} | ({"count": count} if count else {}) | ({"squares": squares} if squares else {})
    rows: dict[str, list[float]] = {name: [] for name in names}
    for batch in read_steps(tree, names, _STEP):
        for name, values in rows.items():
            values.extend(float(value) for value in batch.scalar(name))
    return _Stated(
        tree.name,
        tuple(rows["sum"]),
        tuple(round(value) for value in rows["count"]) if count else None,
        sum(rows["squares"]) if squares else None,
    )


def _check_at_least(file: EventFile, stated: _Stated, counted: _Counted) -> None:
    """Check that the file states at least what its events have."""
    remedy = (
        f"A part of the tree '{stated.tree}' was lost, e.g. when files were merged, and the sample would be normalised "
        "wrongly: merge the files again (haddnano.py), or import the unmerged ones"
    )
    total, count = sum(stated.sums), None if stated.counts is None else sum(stated.counts)
    if count is not None and count < counted.events:
        raise EventFileError(
            f"{file} has {counted.events} events, but its tree '{stated.tree}' says that {count} were generated. "
            f"{remedy}"
        )
    room = _ROUNDING * counted.size
    if count == counted.events and abs(total - counted.total) > room:
        raise EventFileError(
            f"{file}: the weights of its {counted.events} events sum to {counted.total:.6g}, but its tree "
            f"'{stated.tree}' states {total:.6g} for as many. {remedy}"
        )
    positive = counted.total >= counted.size * (1 - 1e-12)
    too_little = positive and total < counted.total - room
    squares = stated.squares
    if too_little or (squares is not None and squares < counted.squares * (1 - _ROUNDING)):
        raise EventFileError(
            f"{file}: the tree '{stated.tree}' states a smaller sum of weights ({total:.6g}) or of their squares than "
            f"the {counted.events} events alone have ({counted.total:.6g}). {remedy}"
        )


def normalisation(sums: Sequence[GeneratorSums], config: ImportConfig, notes: Notes) -> tuple[float, int]:
    """Return the factor from generator weights to pb, and the number of generated events; note how they came about.

    Raises:
        EventFileError: if only some files state sums, or the sums cannot be normalised.
    """
    stating = [one for one in sums if one.tree is not None]
    silent = [one for one in sums if one.tree is None]
    if stating and silent:
        raise EventFileError(
            f"{stating[0].file} states the sum of weights of all generated events (tree '{stating[0].tree}'), "
            f"{silent[0].file} does not: together they cannot be normalised. Get a copy of the second that has the "
            "tree, or import the two as samples of their own"
        )
    total, events = sum(one.sum_of_weights for one in sums), sum(one.events for one in sums)
    generated = sum(one.generated for one in sums)
    section = config.cross_section
    if section is None or total <= 0 or not np.isfinite(total):
        raise EventFileError(f"{sums[0].file}: the generator weights sum to {total:g} and cannot be normalised")
    where = f"the tree '{stating[0].tree}'" if stating else "the events"
    part = f"; {events} of {generated} generated events are in the files" if generated > events else ""
    notes.facts["normalisation"] = (
        f"the generator weights, of sum {total:.10g} in {where}, are scaled to {section:g} pb{part}"
    )
    notes.facts["sum_of_weights"] = total
    if not stating:
        notes.warn(
            "no file states the sum of weights of all generated events: the events are taken for all of them. If they "
            "are a part (a skim), the cross section is too large"
        )
    _warn_of_copies(sums, notes)
    return section / total, generated


def _warn_of_copies(sums: Sequence[GeneratorSums], notes: Notes) -> None:
    rows = Counter(row for one in sums for row in one.rows if row[0] != 0)
    copies = {row: number for row, number in rows.items() if number > 1}
    if copies:
        (count, total), number = next(iter(copies.items()))
        notes.warn(
            f"the same sum of weights, {total:.10g}{'' if count is None else f' of {count} events'}, is stated "
            f"{number} times: a file may have been merged twice, and then the events are normalised to too little"
        )
