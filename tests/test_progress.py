from partonic.progress import SILENT, Progress


def test_silence_is_a_progress_and_does_nothing() -> None:
    assert isinstance(SILENT, Progress)
    SILENT.start("work", total=3, unit="events", done=1)
    SILENT.advance(2, loss=0.3)
    SILENT.finish()
