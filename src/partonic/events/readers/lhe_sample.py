"""The documents of a sample of Les Houches files: what each states and holds, and whether they belong together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.lhe_normalisation import WeightSums, lhe_factors
from partonic.events.readers.cross_sections import check_one_sample, plausible_cross_section
from partonic.events.readers.notes import Notes
from partonic.events.schema import ProcessInfo
from partonic.events.text.lhe_header import LheHeader
from partonic.events.text.lhe_numbers import process_and_weight
from partonic.events.text.lhe_text import LheText

__all__ = ["LheSection", "Normalisation", "check_documents", "normalised", "scanned"]

_PROTON = 2212
_SUM_TOLERANCE = 0.02
"""Relative deviation up to which the sum of the weights is the cross section stated, as in `lhe_factors`."""

_STATED_TOLERANCE = 0.05


@dataclass
class LheSection:
    """One document of a file.

    Attributes:
        where: file, and number of the document where the file has several.
        header: what it states.
        sums: number and sum of the weights by process, in the units of the file, without events that are left out.
        whole: sum of the weights of all events, with those that are left out.
        count: number of its events, with those that are left out.
        first_event: text of its first event; None if it has none.
    """

    where: str
    header: LheHeader
    sums: dict[int, tuple[int, float]] = field(default_factory=dict)
    whole: float = 0.0
    count: int = 0
    first_event: bytes | None = None

    @property
    def kept(self) -> int:
        """Number of events that are not left out."""
        return sum(count for count, _ in self.sums.values())

    @property
    def total(self) -> float:
        """Sum of their weights, in the units of the file."""
        return sum(total for _, total in self.sums.values())

    @property
    def sum_is_section(self) -> bool | None:
        """Whether the sum of the weights, not their mean, is the cross section stated; None if that cannot be told."""
        stated = self.header.cross_section
        if self.kept < 2 or not (stated and math.isfinite(stated)):
            return None
        return self._is_stated(self.total) or self._is_stated(self.whole)

    @property
    def sum_of_whole(self) -> bool:
        """Whether that is so only of all events, because many of them are left out."""
        return bool(self.sum_is_section) and not self._is_stated(self.total)

    @property
    def events_of_sum(self) -> float:
        """Number of the events whose weights sum to the cross section; times it, a weight is one of a mean."""
        return float(self.count if self.sum_of_whole else self.kept)

    def _is_stated(self, total: float) -> bool:
        return abs(total / self.header.cross_section - 1.0) < _SUM_TOLERANCE


@dataclass(frozen=True)
class Normalisation:
    """From the weights of the files to pb.

    Attributes:
        factors: by process number.
        units: factor of each document before that, in the order of the sample.
        rule: a sentence that says what was done.
        error: relative error of the cross section that the files state.
        stated: cross section that they state, pb.
    """

    factors: Mapping[int, float]
    units: Sequence[float]
    rule: str
    error: float
    stated: float


def scanned(path: Path, first: int, left_out: frozenset[int]) -> list[LheSection]:
    """Read a file once, count its events and add up their weights.

    Args:
        path: the file.
        first: number of its first event in the sample.
        left_out: numbers of events that do not count.

    Raises:
        EventFileError: if it cannot be read, is truncated, or the first line of an event is malformed.
    """
    text = LheText(path)
    sums: list[dict[int, tuple[int, float]]] = []
    wholes: list[float] = []
    firsts: list[bytes] = []
    for index, event in enumerate(text.events()):
        while len(sums) < len(text.documents):
            sums.append({})
            wholes.append(0.0)
            firsts.append(event)
        try:
            process, weight = process_and_weight(event)
        except ValueError as error:
            raise EventFileError(
                f"{path}: the first line of event {index} (the first is 0) is malformed: {error}; expected NUP IDPRUP "
                "XWGTUP SCALUP AQEDUP AQCDUP"
            ) from error
        wholes[-1] += weight
        if first + index not in left_out:
            count, total = sums[-1].get(process, (0, 0.0))
            sums[-1][process] = (count + 1, total + weight)
    sections = []
    for index, document in enumerate(text.documents):
        where = str(path) if len(text.documents) == 1 else f"{path} (document {index + 1})"
        section = LheSection(where, LheHeader(where, document.preamble), count=document.count)
        if document.count:
            section.sums, section.whole, section.first_event = sums[index], wholes[index], firsts[index]
        sections.append(section)
    return sections


def check_documents(sections: Sequence[LheSection], process: ProcessInfo, notes: Notes) -> None:
    """Check beams, and that the documents may be one sample; note what they state beside what they hold.

    Raises:
        EventFileError: if the beams are not those of the process, or documents have different weighting strategies.
    """
    for section in sections:
        _check_beams(section, process.collider_energy)
    full = [section for section in sections if section.count]
    for section in full[1:]:
        if abs(section.header.strategy) != abs(full[0].header.strategy):
            raise EventFileError(
                f"{full[0].where} and {section.where} have different weighting strategies IDWTUP "
                f"({full[0].header.strategy} and {section.header.strategy}): import them as separate samples"
            )
    for section in full:
        _compare_with_stated(section, notes)
    programs = dict.fromkeys(name for section in sections for name in section.header.generators)
    if programs:
        notes.facts["generators"] = list(programs)


def _check_beams(section: LheSection, collider_energy: float) -> None:
    header = section.header
    if header.beams != (_PROTON, _PROTON):
        raise EventFileError(
            f"{section.where}: its beams (IDBMUP) are {header.beams[0]} and {header.beams[1]}, expected two protons "
            f"({_PROTON} {_PROTON}). Other colliders are not supported; if these are proton beams under another "
            "number, correct the first line of <init>"
        )
    product = header.energies[0] * header.energies[1]
    energy = 2.0 * math.sqrt(product) if math.isfinite(product) and product > 0 and header.energies[0] > 0 else math.nan
    if not math.isclose(energy, collider_energy, rel_tol=1e-3):
        found = (
            f"√S = {energy:g} GeV" if math.isfinite(energy) else f"the energies {header.energies} GeV, which are none"
        )
        raise EventFileError(
            f"{section.where}: its beams collide at {found}, but the process is at {collider_energy:g} GeV: set "
            "process.collider_energy to the one of the file"
        )


def _compare_with_stated(section: LheSection, notes: Notes) -> None:
    """Hold what MadGraph notes in the header against events and cross section of the file."""
    events, noted, stated = section.header.stated_events, section.header.stated_section, section.header.cross_section
    if events is not None and events != section.count:
        notes.warn(
            f"{section.where}: its header notes {events} events, it has {section.count}. A part of a run is fine; if "
            "the events were selected, give the cross section of those that are left with import.cross_section"
        )
    if noted is not None and abs(noted - stated) > _STATED_TOLERANCE * abs(noted):
        notes.warn(f"{section.where}: its header notes the cross section {noted:g} pb, but XSECUP is {stated:g} pb")


def normalised(sections: Sequence[LheSection], config: ImportConfig, notes: Notes) -> Normalisation:
    """Find what the weights of the documents mean.

    Args:
        sections: all documents of the sample.
        config: the section `import`.
        notes: told what does not fit.

    Raises:
        EventFileError: if the cross section that is needed cannot be one, or documents have weights of other units.
    """
    full = [section for section in sections if section.kept]
    if not full:
        raise EventFileError(f"{sections[0].where}: there is no event in the files of the sample")
    strategy = full[0].header.strategy
    if config.cross_section is None and config.normalisation == "auto":
        for section in full:
            plausible_cross_section(section.header.cross_section, "XSECUP", section.where)
        check_one_sample([(section.header.cross_section, section.where) for section in full], notes)
    if abs(strategy) == 2 and config.normalisation == "auto":
        _check_processes(full)
    if abs(strategy) == 3 and config.normalisation == "auto" and config.cross_section is None:
        _check_all_stated(full)
    by_sum = _summed_each(full, strategy, config.normalisation)
    units = [section.events_of_sum if by_sum else 1.0 for section in sections]
    sums = _all_sums(full, [section.events_of_sum if by_sum else 1.0 for section in full], config.cross_section)
    rule = "average" if by_sum else config.normalisation
    factors, sentence = lhe_factors(strategy, sums, rule, config.cross_section, warn=notes.warn)
    if by_sum:
        sentence = sentence.replace("the mean of the weights", "the sum of the weights of each file")
    stated = _averaged([section.header.cross_section for section in full], full)
    errors = [section.header.own_relative_error * section.header.cross_section * section.kept for section in full]
    size = abs(stated) * sum(section.kept for section in full)
    error = math.hypot(*errors) / size if config.cross_section is None and size > 0 else 0.0
    return Normalisation(factors, units, sentence, error if math.isfinite(error) else 0.0, stated)


def _averaged(values: Sequence[float], sections: Sequence[LheSection]) -> float:
    total = sum(section.kept for section in sections)
    return sum(value * section.kept for value, section in zip(values, sections, strict=True)) / total


def _check_processes(sections: Sequence[LheSection]) -> None:
    """Under IDWTUP ±2 each process is scaled to its own XSECUP."""
    for section in sections:
        for process, (count, total) in section.sums.items():
            stated = section.header.processes.get(process, (math.nan, 0.0))[0]
            if not (math.isfinite(stated) and stated * total > 0):
                raise EventFileError(
                    f"{section.where}: IDWTUP is {section.header.strategy}, so the {count} events of "
                    f"process {process} should sum to its XSECUP, but that is {stated:g} pb and their weights sum to "
                    f"{total:g}. Set import.normalisation to average or sum, and import.cross_section"
                )


def _check_all_stated(sections: Sequence[LheSection]) -> None:
    """Under IDWTUP ±3 all events together have the sum of XSECUP, in which no process of theirs may be missing."""
    for section in sections:
        for process, (count, _) in section.sums.items():
            stated = section.header.processes.get(process, (math.nan, 0.0))[0]
            if not (math.isfinite(stated) and stated != 0):
                raise EventFileError(
                    f"{section.where}: {count} events are of process {process}, whose XSECUP is "
                    f"{'not in <init>' if math.isnan(stated) else f'{stated:g} pb'}: it is missing in the sum of the "
                    "cross sections. Give that of all events with import.cross_section"
                )


def _summed_each(sections: Sequence[LheSection], strategy: int, rule: str) -> bool:
    """Whether the weights of each document sum to its cross section, and of the sample to another number.

    It has several documents then, or many events are left out.

    Raises:
        EventFileError: if that holds for some and not for others.
    """
    several = len(sections) > 1 or sections[0].sum_of_whole
    if not several or not (rule == "sum" or (rule == "auto" and abs(strategy) == 4)):
        return False
    told = {section.where: section.sum_is_section for section in sections if section.sum_is_section is not None}
    if rule == "auto" and len(set(told.values())) > 1:
        yes, no = (next(where for where, is_sum in told.items() if is_sum is kind) for kind in (True, False))
        raise EventFileError(
            f"the weights of {yes} sum to the cross section that it states, those of {no} do not: they have other "
            "units. Import them as separate samples"
        )
    return bool(told) and all(told.values())


def _all_sums(
    sections: Sequence[LheSection], units: Sequence[float], cross_section: float | None
) -> dict[int, WeightSums]:
    """Add up the weights by process; cross sections are averaged with the numbers of events."""
    counts: dict[int, int] = {}
    totals: dict[int, float] = {}
    stated: dict[int, float] = {}
    all_events = sum(section.kept for section in sections)
    for section, unit in zip(sections, units, strict=True):
        for process, (value, _) in section.header.processes.items():
            stated[process] = stated.get(process, 0.0) + value * section.kept / all_events
        for process, (count, total) in section.sums.items():
            counts[process] = counts.get(process, 0) + count
            totals[process] = totals.get(process, 0.0) + unit * total
    whole = sum(stated.values())
    if cross_section is not None and not (math.isfinite(whole) and whole > 0):
        stated = {process: cross_section * count / all_events for process, count in counts.items()}
    keys = {**stated, **counts}
    return {key: WeightSums(counts.get(key, 0), totals.get(key, 0.0), stated.get(key, 0.0)) for key in keys}
