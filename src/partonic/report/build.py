"""The report of an event store: one HTML page, its figures as files, and all numbers as JSON.

The events are read once, batch by batch; every section adds each batch to its histograms, so that memory does not
depend on the number of events. Then the findings are gathered, the sections give their content and the page is written,
last of all files: an ``index.html`` is always a whole report.
"""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from partonic.config.report import ReportConfig
from partonic.errors import ConfigError, EventFileError
from partonic.events.store import EventStore
from partonic.files import output_folder, write_json
from partonic.plots.canvas import Headline
from partonic.processes.definition import standard_model
from partonic.progress import SILENT, Progress
from partonic.report.content import Content
from partonic.report.event_counts import EventCounts
from partonic.report.figures import Art, draw_plots
from partonic.report.findings import gather_findings
from partonic.report.labels import produced_particles
from partonic.report.limits import LimitFiles, read_limits
from partonic.report.page import Chapter, Part, write_page
from partonic.report.result_box import result_box
from partonic.report.section import Filled, Sample, Section
from partonic.report.sections import Group, groups_of
from partonic.report.theta import reference_point, theta_points
from partonic.report.unfolded import judged_models

__all__ = ["PAGE", "RESULTS", "build_report"]

PAGE = "index.html"
"""Name of the page in the output folder."""

RESULTS = "report.json"
"""Name of the machine-readable results in the output folder."""


def build_report(
    store: Path,
    output: Path,
    config: ReportConfig | None = None,
    *,
    generation: Path | None = None,
    models: Sequence[Path] = (),
    limits: LimitFiles | None = None,
    progress: Progress = SILENT,
) -> Path:
    """Write the report of `store` into the folder `output` and return the path of the page.

    Args:
        store: event store (Parquet).
        output: folder for ``index.html``, ``report.json`` and ``figures/``.
        config: what is shown; None for the defaults.
        generation: ``generation.json`` of the events; None if there is none.
        models: folders of unfolding models to judge on the events, one for each parton view.
        limits: coefficients of the events, and what was inferred from them; None if there is nothing.
        progress: told the events read, then the sections drawn.

    Raises:
        EventFileError: if the store, `generation` or a file of `limits` is damaged.
        SchemaError: if the store has another schema.
        ConfigError: if the configuration names a section or variable that does not exist.
        ParameterError: if it names a parameter that the process does not have.
        NonFiniteError: if a weight or observable is NaN or infinite.
        ModelError: if a model is missing or damaged.
        OutputError: if a file cannot be written.
    """
    options = config or ReportConfig()
    events = EventStore.open(store)
    sample = _sample(events, options, _read_generation(generation))
    if models:
        sample = replace(sample, unfolded=judged_models(models, events, options.unfolding, output, progress))
    if limits is not None:
        sample = replace(sample, limits=read_limits(limits, events))
    groups, counts = _groups(sample), EventCounts()
    every = [section for _, sections in groups for section in sections]
    _fill([counts, *every], events, options.batch_size, progress)
    return _write(groups, counts, sample, output, progress)


def _sample(events: EventStore, config: ReportConfig, generation: Mapping[str, Any] | None) -> Sample:
    monomials = events.metadata.monomials
    reference, name = reference_point(monomials, config.reference, standard_model(events.metadata.process))
    return Sample(
        metadata=events.metadata,
        num_events=events.num_events,
        config=config,
        generation=generation,
        reference=reference,
        reference_text=name,
        points=theta_points(monomials, config.theta, reference),
    )


def _groups(sample: Sample) -> list[tuple[Group, list[Section]]]:
    """Return the groups with their sections, those that the configuration leaves out not made into empty groups."""
    made = [(group, [make(sample) for make in group.makers]) for group in groups_of(sample)]
    sample.check_binnings()
    known = [section.name for _, sections in made for section in sections]
    chosen = sample.config.sections or tuple(known)
    for name in chosen:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1) or known
            raise ConfigError(f"report.sections has no section '{name}'; did you mean {', '.join(close)}?")
    kept = [(group, [section for section in sections if section.name in chosen]) for group, sections in made]
    return [(group, sections) for group, sections in kept if sections]


def _fill(filled: Sequence[Filled], events: EventStore, size: int, progress: Progress) -> None:
    wanted = {name for each in filled for name in each.columns} | {"event_id"}
    columns = [column.name for column in events.metadata.event_schema.columns if column.name in wanted]
    progress.start("reading events", events.num_events, "events")
    for batch in events.batches(columns, size):
        for each in filled:
            each.fill(batch)
        progress.advance(len(batch))
    progress.finish()


def _write(
    groups: list[tuple[Group, list[Section]]], counts: EventCounts, sample: Sample, output: Path, progress: Progress
) -> Path:
    folder, art = output_folder(output), _art(sample, output)
    title = sample.config.title or _default_title(sample)
    box = result_box(sample, counts, title, gather_findings(sample, counts))
    progress.start("drawing the report", sum(len(sections) for _, sections in groups), "sections")
    chapters: list[Chapter] = []
    for group, sections in groups:
        parts: list[Part] = []
        for section in sections:
            content = section.content()
            parts.append(Part(section.name, section.title, content, draw_plots(content.plots, art)))
            progress.advance()
        before = chapters[-1] if chapters else None
        is_open = group.is_open or (before is not None and before.is_open and not before.has_figures)
        chapters.append(Chapter(group.name, group.title, is_open, tuple(parts)))
    progress.finish()
    shown = [part for chapter in chapters for part in chapter.parts]
    records = {part.name: _record(part.content) for part in shown}
    write_json(folder / RESULTS, {"title": title, "result_box": box.to_json(), "sections": records})
    write_page(folder / PAGE, box, chapters)
    return folder / PAGE


def _default_title(sample: Sample) -> str:
    return f"{sample.metadata.process}: events" + (" and their dependence on θ" if sample.depends_on_theta else "")


def _art(sample: Sample, output: Path) -> Art:
    return Art(output, sample.config.formats, _headline(sample), linked=sample.config.figures == "linked")


def _record(content: Content) -> dict[str, object]:
    tables = [{"caption": t.caption, "columns": t.columns, "rows": t.rows} for t in content.tables]
    return {"missing": content.missing, "tables": tables, "results": dict(content.results)}


def _headline(sample: Sample) -> Headline:
    metadata = sample.metadata
    symbols = "".join(symbol for symbol, _ in produced_particles(metadata))
    process = rf"pp $\to {symbols}$" if symbols else ""
    energy = rf"$\sqrt{{s}}$ = {metadata.collider_energy / 1000:g} TeV" if metadata.collider_energy else ""
    qualifier = "simulation" if metadata.source == "partonic" else "imported events"
    return Headline(qualifier, ", ".join(part for part in (process, energy) if part))


def _read_generation(path: Path | None) -> Mapping[str, Any] | None:
    if path is None:
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EventFileError(f"cannot read the record of the generation {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise EventFileError(
            f"{path} is not a record of a generation (JSON): {error}. Generate the events again"
        ) from error
    if not isinstance(content, dict):
        raise EventFileError(
            f"{path} must hold a JSON object, got a {type(content).__name__}. Generate the events again"
        )
    return content
