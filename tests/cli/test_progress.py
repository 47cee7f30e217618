import io

import pytest

from partonic.cli import progress
from partonic.cli.progress import TerminalProgress
from partonic.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_is_a_progress() -> None:
    assert isinstance(TerminalProgress(io.StringIO()), Progress)


def test_bar_shows_what_was_done_before(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    bar = TerminalProgress(terminal)
    bar.start("simulate", total=100, unit="events", done=40)
    bar.advance(60, efficiency=0.25)
    bar.finish()
    text = terminal.getvalue()
    assert "simulate:  40%" in text
    assert "100/100" in text
    assert "efficiency=0.25" in text


def test_without_a_terminal_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    stream = io.StringIO()
    bar = TerminalProgress(stream)
    bar.start("train", total=10, unit="rounds")
    for _ in range(10):
        now += 6.0
        bar.advance(1, loss=0.25)
    bar.finish()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4, "after 18, 36 and 54 seconds, and at the end"
    assert "3/10" in lines[0]
    assert "loss=0.25" in lines[0]
    assert "10/10" in lines[3]
    assert "\r" not in stream.getvalue()


def test_unknown_total() -> None:
    stream = io.StringIO()
    bar = TerminalProgress(stream)
    bar.start("read", total=None, unit="events")
    bar.advance(5)
    bar.finish()
    assert "5 events" in stream.getvalue()


def test_next_task_ends_the_one_before() -> None:
    stream = io.StringIO()
    bar = TerminalProgress(stream)
    bar.start("first", total=2, unit="events")
    bar.start("second", total=2, unit="events")
    bar.finish()
    bar.finish()
    bar.advance()
    assert [line.partition(":")[0] for line in stream.getvalue().splitlines()] == ["first", "second"]
