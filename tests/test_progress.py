import pytest

from partonic.progress import SILENT, Progress, duration_text


def test_silence_is_a_progress_and_does_nothing() -> None:
    assert isinstance(SILENT, Progress)
    SILENT.start("work", total=3, unit="events", done=1)
    SILENT.advance(2, loss=0.3)
    SILENT.finish()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"), (59.6, "1 min"),
        (250.0, "4 min 10 s"), (3599.7, "1 h"), (7500.0, "2 h 5 min"), (90_000.0, "25 h"),
    ],
)  # fmt: skip
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
