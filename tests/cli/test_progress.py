import io
import math
import re

import pytest

from partonic.cli import progress
from partonic.cli.progress import TerminalProgress
from partonic.progress import Progress

TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, as its only element; the memory is 1.25 GB."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.MemoryWatch, "text", lambda _: "1.25 GB")
    return now


def lines(stream: io.StringIO) -> list[str]:
    """Lines of a log without their times."""
    text = stream.getvalue()
    assert "\r" not in text
    assert all(TIME.match(line) for line in text.splitlines())
    return [TIME.sub("", line) for line in text.splitlines()]


def test_is_a_progress() -> None:
    assert isinstance(TerminalProgress(io.StringIO()), Progress)


def test_bar_shows_what_was_done_before_and_the_memory() -> None:
    terminal = Terminal()
    bar = TerminalProgress(terminal)
    bar.start("simulate", total=100, unit="events", done=40)
    bar.advance(60, efficiency=0.25)
    bar.finish()
    text = terminal.getvalue()
    assert "simulate:  40%" in text
    assert "100/100" in text
    assert "efficiency=0.25" in text
    assert re.search(r"memory=\d+\.\d\d GB", text)
    assert "not_finite" not in text


def test_log_has_a_line_now_and_then(clock: list[float]) -> None:
    stream = io.StringIO()
    log = TerminalProgress(stream)
    log.start("train", total=1000, unit="steps", done=200)
    for _ in range(8):
        clock[0] += 6.0
        log.advance(100, loss=0.25, phase="flow")
    log.finish()
    assert lines(stream) == [
        "train: begins, 1,000 steps, 200 of them there already",
        "train: 500 of 1,000 steps (50%), 16.7 steps/s, 30 s left, loss=0.25, phase=flow, 1.25 GB",
        "train: 800 of 1,000 steps (80%), 16.7 steps/s, 12 s left, loss=0.25, phase=flow, 1.25 GB",
        "train: ends, 1,000 steps after 48 s, loss=0.25, phase=flow, 1.25 GB",
    ]


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["log", "terminal"])
def test_figures_that_are_not_numbers_are_counted(stream: io.StringIO) -> None:
    told = TerminalProgress(stream)
    told.start("train", total=4, unit="steps")
    for loss in (math.nan, 0.5, math.inf, 0.25):
        told.advance(1, loss=loss)
    told.finish()
    last = re.split(r"[\r\n]", stream.getvalue().strip())[-1]
    assert "loss=0.25" in last
    assert "not_finite=2" in last
    told.start("sample", total=1, unit="events")
    told.advance(1, loss=0.1)
    told.finish()
    assert "not_finite" not in re.split(r"[\r\n]", stream.getvalue().strip())[-1]


def test_log_of_unknown_total(clock: list[float]) -> None:
    stream = io.StringIO()
    log = TerminalProgress(stream)
    log.start("read", total=None, unit="events")
    clock[0] += 16.0
    log.advance(32)
    log.finish()
    assert lines(stream) == [
        "read: begins",
        "read: 32 events, 2 events/s, 1.25 GB",
        "read: ends, 32 events after 16 s, 1.25 GB",
    ]


def test_log_of_a_task_that_ends_early_or_has_nothing_to_do(clock: list[float]) -> None:
    stream = io.StringIO()
    log = TerminalProgress(stream)
    log.start("fits", total=10, unit="fits")
    clock[0] += 20.0
    log.advance(0)
    log.start("none", total=0, unit="events")
    log.finish()
    assert lines(stream) == [
        "fits: begins, 10 fits",
        "fits: 0 of 10 fits (0%), 1.25 GB",
        "fits: ends, 0 of 10 fits after 20 s, 1.25 GB",
        "none: begins, 0 events",
        "none: ends, 0 events after 0.0 s, 1.25 GB",
    ]


def test_next_task_ends_the_one_before() -> None:
    stream = io.StringIO()
    log = TerminalProgress(stream)
    log.start("first", total=2, unit="events")
    log.start("second", total=2, unit="events")
    log.finish()
    log.finish()
    log.advance()
    assert [line.split(",")[0] for line in lines(stream)] == [
        "first: begins", "first: ends", "second: begins", "second: ends",
    ]  # fmt: skip
