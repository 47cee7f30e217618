from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.generation import FULL_SAMPLER, QUICK_SAMPLER

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_valid_and_named_as_its_file(path: Path) -> None:
    config = load_analysis(path)
    assert config.name == path.stem
    assert config.output == Path("runs") / path.stem


def test_demo_is_quick_and_the_analysis_is_not() -> None:
    quick, full = (load_analysis(path).generation for path in EXAMPLES)
    assert quick.sampler == QUICK_SAMPLER
    assert full.sampler == FULL_SAMPLER
    assert quick.events < full.events / 10
