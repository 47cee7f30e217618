from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.unfolding import PRESETS, ConditionerConfig, TrainingConfig, UnfoldingConfig
from partonic.errors import ConfigError


def load(folder: Path, text: str) -> UnfoldingConfig | None:
    path = folder / "analysis.yaml"
    path.write_text(f"name: x\n{text}", encoding="utf-8")
    return load_analysis(path).unfolding


def test_absent_section_means_no_unfolding(tmp_path: Path) -> None:
    assert load(tmp_path, "seed: 3\n") is None
    assert load(tmp_path, "unfolding: {}\n") == UnfoldingConfig()


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_fills_what_is_not_written(tmp_path: Path, preset: str) -> None:
    config = load(tmp_path, f"unfolding:\n  preset: {preset}\n  training: {{batch_size: 77}}\n")
    assert config is not None
    assert config.training.batch_size == 77
    for section in ("provenance", "conditioner", "flow", "training", "sampling"):
        found = getattr(config, section)
        written = {"batch_size": 77} if section == "training" else {}
        assert found == type(found).model_validate({**PRESETS[preset].get(section, {}), **written})


def test_preset_cms_has_its_own_training() -> None:
    config = UnfoldingConfig(preset="cms")
    assert config.training.batch_size == 3072
    assert config.training.schedule == "plateau"


def test_filled_section_survives_writing_and_reading() -> None:
    for preset in PRESETS:
        config = UnfoldingConfig(preset=preset)
        assert UnfoldingConfig.model_validate(config.model_dump(mode="json")) == config


def test_sections_made_in_python_are_kept() -> None:
    training = TrainingConfig(batch_size=5)
    assert UnfoldingConfig(preset="cms", training=training).training == training


@pytest.mark.parametrize("preset", ["", "  preset: cms\n", "  preset: tiny\n"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  trainig: {}\n", "unfolding.trainig: unknown key 'trainig'; did you mean 'training'?"),
        ("  training:\n    bach_size: 5\n", "unfolding.training.bach_size: unknown key 'bach_size'; did you mean 'bat"),
        ("  training:\n    batch_size: 1\n", "unfolding.training.batch_size: input should be greater than or equal"),
        ("  training: 5\n", "unfolding.training: input should be a valid dictionary"),
        ("  samples_per_event: 5\n", "unfolding.samples_per_event: unknown key 'samples_per_event'; it exists as unf"),
        ("  conditioner:\n    encoder_heads: 7\n", "unfolding.conditioner.encoder_heads: the number of heads must div"),
        ("  conditioner:\n    decoder_heads: 7\n", "unfolding.conditioner.decoder_heads: the number of heads must div"),
        ("  provenance:\n    heads: 7\n", "unfolding.provenance.heads: the number of heads must divide the width, got"),
        ("  views: [hard, hard]\n", "unfolding.views: expected each view once, got hard, hard"),
        ("  views: []\n", "unfolding.views: "),
        ("  views: [soft]\n", "unfolding.views.0: input should be 'hard' or 'with_isr'"),
        ("  flow:\n    hidden: [0]\n", "unfolding.flow.hidden.0: input should be greater than 0"),
        ("  flow:\n    hidden: []\n", "unfolding.flow.hidden: "),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, preset: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"unfolding:\n{preset}{text}")
    line = 2 + len(f"{preset}{text}".splitlines())
    assert f"analysis.yaml:{line}: {message}" in str(caught.value)


def test_unknown_preset_names_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"analysis\.yaml:3: unfolding\.preset: input should be 'cms', 'small' or 't"):
        load(tmp_path, "unfolding:\n  preset: huge\n")


def test_width_that_heads_do_not_divide_is_told_at_the_section(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"analysis\.yaml:3: unfolding\.conditioner: the number of heads"):
        load(tmp_path, "unfolding:\n  conditioner: {width: 65}\n")
    assert ConditionerConfig(width=72, encoder_heads=9, decoder_heads=8).width == 72
