from pathlib import Path

import pytest

from partonic.config import AnalysisConfig, load_analysis
from partonic.config.generation import FULL_SAMPLER, QUICK_SAMPLER
from partonic.workflow.places import coefficients_file, event_store

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_valid_and_named_as_its_file(path: Path) -> None:
    config = load_analysis(path)
    assert config.name == path.stem
    assert config.output == Path("runs") / path.stem


def example(name: str) -> AnalysisConfig:
    return load_analysis(next(path for path in EXAMPLES if path.stem == name))


def test_demo_is_quick_and_the_analysis_is_not() -> None:
    quick, full = (example(name).generation for name in ("tth_quick", "tth_semileptonic"))
    assert quick.sampler == QUICK_SAMPLER
    assert full.sampler == FULL_SAMPLER
    assert quick.events < full.events / 10


def test_demo_samples_with_the_pretrained_models() -> None:
    section = example("tth_quick").unfolding
    assert section is not None
    assert section.model == "pretrained"
    assert section.views == ("hard", "with_isr")


@pytest.mark.parametrize(
    ("name", "preset", "selected"),
    [("tth_unfolding", "small", 350_000), ("tth_unfolding_cms", "cms", 1_500_000)],
)
def test_training_examples_have_enough_events(name: str, preset: str, selected: int) -> None:
    """At 14.3% selected events, less than what the selection of the examples gives."""
    config = example(name)
    assert config.unfolding is not None
    assert config.unfolding.model is None
    assert config.unfolding.preset == preset
    assert 0.143 * config.generation.events >= selected


def test_training_does_not_see_the_events_of_the_demo() -> None:
    """Same seed would give the same events."""
    assert example("tth_unfolding").seed != example("tth_quick").seed


@pytest.mark.parametrize(("name", "leptons"), [("tth_dilepton", 2), ("tth_all_hadronic", 0)])
def test_other_channels_ask_for_as_many_leptons_as_they_decay_to(name: str, leptons: int) -> None:
    simulation = example(name).simulation
    assert f"tth_{simulation.decays.tops}" == name
    assert simulation.selection.leptons == leptons
    assert simulation.selection.opposite_charges == (leptons == 2)


@pytest.mark.parametrize("name", ["tth_dilepton", "tth_all_hadronic"])
def test_other_channels_train_their_own_proposal(name: str) -> None:
    config = example(name)
    assert config.mem_training is not None
    assert config.mem is not None
    assert "proposal" in config.mem_training.parts
    assert config.mem.proposal.kind == "network"


def test_background_and_signal_are_looked_at_under_both_hypotheses() -> None:
    """The paths of one example are where the others leave their files."""
    main = example("tth_with_background")
    assert main.inference is not None
    background = main.inference.backgrounds["ttbb"]
    assert background.events is not None
    assert background.coefficients == _coefficients("ttbb_of_tth_events", "tth_with_background")
    assert background.events.store == _store("ttbb_semileptonic")
    assert background.events.coefficients == {
        "signal": _coefficients("tth_of_ttbb_events", "ttbb_semileptonic"),
        "ttbb": _coefficients("ttbb_of_ttbb_events", "ttbb_semileptonic"),
    }


@pytest.mark.parametrize(
    ("training", "analyses"),
    [
        ("tth_mem_training", ("tth_quick", "tth_with_background")),
        ("ttbb_mem_training", ("ttbb_semileptonic",)),
    ],
)
def test_training_for_the_method_sees_other_events(training: str, analyses: tuple[str, ...]) -> None:
    assert example(training).mem_training is not None
    for name in analyses:
        assert example(training).simulation.selection == example(name).simulation.selection
        assert example(training).seed != example(name).seed


def _coefficients(hypothesis: str, events: str) -> Path:
    """Return where an example leaves the coefficients of the events of another one."""
    config = example(hypothesis)
    assert config.mem is not None
    assert config.mem.store == _store(events)
    assert config.mem.max_events == 5000
    normalisation = config.mem.normalisation.store or config.mem.store
    assert example(normalisation.parts[1]).process.name == config.process.name
    return coefficients_file(config)


def _store(events: str) -> Path:
    return event_store(example(events))
