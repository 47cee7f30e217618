"""Variants of the section `sbi`: settings over those of the section, each a learned estimator of its own."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from partonic.config.analysis import AnalysisConfig, load_analysis
from partonic.config.sbi import SbiConfig
from partonic.config.sbi.variants import SbiSection, variant_source
from partonic.errors import ConfigError


def test_what_a_variant_says_stands_over_what_the_section_says() -> None:
    section = SbiSection.model_validate(
        {
            "features": ["jet_pt[0]"],
            "network": {"hidden": [8], "members": 3},
            "also": {"trees": {"method": "trees", "network": {"members": 7}}, "as_it_is": {}},
        }
    )
    trees = section.estimators["trees"]
    assert (trees.method, trees.features, trees.network.members, trees.network.hidden) == (
        "trees", ("jet_pt[0]",), 7, (8,),
    )  # fmt: skip
    assert section.estimators["as_it_is"] == section.estimators[""]
    assert section.estimators["as_it_is"].learning() == section.learning()
    assert list(section.estimators) == ["", "trees", "as_it_is"]
    assert [variant_source(name) for name in section.estimators] == ["sbi", "sbi.trees", "sbi.as_it_is"]


def test_presets_fill_in_below_both() -> None:
    """A variant of another preset has that preset's sizes, but what the section says itself stays."""
    section = SbiSection.model_validate({"training": {"epochs": 9}, "also": {"quick": {"preset": "tiny"}}})
    assert section.network.members == SbiConfig().network.members
    assert section.also["quick"].network.members == 2
    assert section.also["quick"].training.epochs == 9
    tiny = SbiSection.model_validate({"preset": "tiny", "also": {"large": {"preset": "small"}}})
    assert tiny.also["large"].learning() == SbiConfig().learning()


def test_the_section_alone_learns_what_it_learned_before_there_were_variants() -> None:
    assert SbiSection.model_validate({"also": {"trees": {"method": "trees"}}}).learning() == SbiConfig().learning()
    assert not {"also", "model"} & SbiSection().learning().keys()


def test_a_ready_model_takes_over_no_training_and_is_not_passed_on() -> None:
    section = SbiSection.model_validate(
        {"model": "pretrained", "max_events": 50, "also": {"trees": {"method": "trees"}, "mine": {"model": "a/b"}}}
    )
    assert section.also["trees"].model is None
    assert section.also["mine"].model == "a/b"
    assert section.also["mine"].max_events == 50
    features = SbiSection.model_validate({"features": ["jet_pt[0]"], "also": {"mine": {"model": "a/b"}}})
    assert features.also["mine"].features == SbiConfig().features


@pytest.mark.parametrize(
    ("content", "key", "message"),
    [
        ("{also: {trees: {metod: trees}}}", "sbi.also.trees.metod", "unknown key 'metod'; did you mean 'method'"),
        ("{also: {trees: {also: {}}}}", "sbi.also.trees.also", "unknown key 'also'"),
        ("{also: {trees: {network: {members: 0}}}}", "sbi.also.trees.network.members", "greater than or equal to 1"),
        ("{also: {Trees: {}}}", "sbi.also.Trees", "small letters"),
        ("{also: {t: {model: pretrained, method: trees}}}", "sbi.also.t.method", "has no meaning beside `model`"),
        ("{model: pretrained, shares: {fit: 0.5}}", "sbi.shares", "has no meaning beside `model`"),
        ("{also: {t: {reference: [{c_tg: 1.0}]}}}", "sbi.also.t.reference.0.c_tg", "did you mean 'c_tG'"),
        ("{also: {t: 3}}", "sbi.also.t", "3"),
    ],
)
def test_messages_name_key_and_line(tmp_path: Path, content: str, key: str, message: str) -> None:
    path = tmp_path / "analysis.yaml"
    path.write_text(f"name: x\nsbi: {content}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_analysis(path)
    assert f"analysis.yaml:2: {key}: " in str(caught.value)
    assert message in str(caught.value)


def test_a_fit_names_a_variant_that_is_there(tmp_path: Path) -> None:
    content = {"name": "x", "sbi": {"also": {"trees": {"method": "trees"}}}, "inference": {"source": "sbi.trees"}}
    config = AnalysisConfig.model_validate(content)
    assert config.inference is not None
    assert config.inference.source == "sbi.trees"
    for source in ("sbi.tree", "mem.trees", "sbi."):
        with pytest.raises(ValidationError, match=r"did you mean|no estimator"):
            AnalysisConfig.model_validate({**content, "inference": {"source": source}})
    elsewhere = {"source": "sbi.mine", "coefficients": "a.parquet"}
    AnalysisConfig.model_validate({**content, "inference": elsewhere})


def test_points_of_variants_are_completed_by_the_standard_model() -> None:
    process = {"name": "external", "parameters": {"a": {"standard_model": 1.0}, "b": {}}, "partons": {"x": 22}}
    content = {
        "name": "x", "process": process, "import": {"format": "lhe", "files": ["a.lhe"]},
        "sbi": {"also": {"t": {"reference": [{"b": 2.0}]}}},
    }  # fmt: skip
    config = AnalysisConfig.model_validate(content)
    assert config.sbi is not None
    assert config.sbi.reference == ({"a": 1.0},)
    assert config.sbi.also["t"].reference == ({"a": 1.0, "b": 2.0},)
