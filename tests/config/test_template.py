"""Every analysis file that `partonic new` writes is one that the loader takes, and says what its settings do."""

import itertools
from pathlib import Path

import pytest

from partonic.config import load_analysis
from partonic.config.analysis import AnalysisConfig
from partonic.config.simulation import DecayConfig
from partonic.config.template import OWN_EVENTS, analysis_template, decay_channels, sources
from partonic.errors import ConfigError
from partonic.process_registry import find_process, process_names
from partonic.workflow import applicable_steps

COMBINATIONS = [
    (process, decay_channel, source)
    for process in process_names()
    for decay_channel in decay_channels(process)
    for source in sources()
    if source != OWN_EVENTS or find_process(process).has_matrix_element
]


def loaded(path: Path, *names: str) -> AnalysisConfig:
    path.write_text(analysis_template(*names).text.replace("FILL_IN", "0.5"), encoding="utf-8")
    return load_analysis(path)


def assert_decays(config: AnalysisConfig, process: str, decay_channel: str) -> None:
    """The decays of the decay channel are those of the file."""
    wanted = find_process(process).decay_channels[decay_channel].get("simulation", {}).get("decays", {})
    found = config.simulation.decays.model_dump(mode="json")
    assert wanted.items() <= found.items()


@pytest.mark.parametrize(("process", "decay_channel", "source"), COMBINATIONS)
def test_every_combination_loads(tmp_path: Path, process: str, decay_channel: str, source: str) -> None:
    config = loaded(tmp_path / "a.yaml", process, decay_channel, source)
    assert config.name == analysis_template(process, decay_channel, source).name
    assert config.process.name == process
    if source == OWN_EVENTS:
        assert config.import_ is None
        assert_decays(config, process, decay_channel)
    else:
        assert config.import_ is not None
        assert config.import_.format == source
        assert not Path(config.import_.files[0]).exists(), "a run must not begin before the files are filled in"
    if source == "hepmc":
        assert_decays(config, process, decay_channel)


def test_there_are_all_processes_channels_and_formats() -> None:
    assert {"tth", "ttbb"} <= set(process_names())
    assert decay_channels("tth") == ("semileptonic", "dilepton", "all_hadronic", "inclusive")
    assert sources() == ("generation", "lhe", "nanoaod", "delphes", "hepmc")


@pytest.mark.parametrize(
    ("decay_channel", "steps"),
    [
        ("semileptonic", ("generate", "simulate", "mem", "infer", "report")),
        ("dilepton", ("generate", "simulate", "train_mem", "mem", "infer", "report")),
        ("all_hadronic", ("generate", "simulate", "train_mem", "mem", "infer", "report")),
        ("inclusive", ("generate", "simulate", "report")),
    ],
)
def test_steps_of_a_channel(tmp_path: Path, decay_channel: str, steps: tuple[str, ...]) -> None:
    assert applicable_steps(loaded(tmp_path / "a.yaml", "tth", decay_channel)) == steps


def test_background_has_no_parameters_to_fit(tmp_path: Path) -> None:
    assert applicable_steps(loaded(tmp_path / "a.yaml", "ttbb")) == ("generate", "simulate", "report")
    imported = loaded(tmp_path / "b.yaml", "ttbb", "semileptonic", "lhe").import_
    assert imported is not None
    assert imported.theta_independent


def test_comments_are_the_docstrings_of_the_settings() -> None:
    text = analysis_template("tth", "dilepton").text
    described = DecayConfig.model_fields["leptons"].description
    assert f"    # {described}\n    leptons: [e, mu]\n" in text
    lines = text.splitlines()
    assert all(len(line) <= 120 for line in lines)
    for above, line in itertools.pairwise(lines):
        if line and not line.lstrip().startswith("#"):
            assert above.lstrip().startswith("#"), f"no comment above '{line}'"


def test_numbers_that_only_the_user_knows_are_marked() -> None:
    template = analysis_template("tth", "semileptonic", "nanoaod")
    marked = [line.split(":")[0].strip() for line in template.text.splitlines() if line.endswith("# FILL IN")]
    assert marked == ["files", "cross_section", "working_point"]
    assert [each.split(":")[0].split(".")[-1] for each in template.to_fill_in] == marked
    assert analysis_template("tth").to_fill_in == ()
    assert "FILL IN" not in analysis_template("tth").text


def test_file_with_a_number_still_to_be_filled_in_does_not_load(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(analysis_template("tth", "semileptonic", "nanoaod").text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_analysis(path)
    told = [line.split(": ", maxsplit=1)[1] for line in str(caught.value).splitlines()]
    assert told == [
        "import.cross_section: this value is still to be filled in, in place of FILL_IN",
        "import.btag.working_point: this value is still to be filled in, in place of FILL_IN",
    ]


@pytest.mark.parametrize(("process", "source", "said"), [
    ("tth", "delphes", True), ("tth", OWN_EVENTS, False), ("ttbb", "delphes", False),
])  # fmt: skip
def test_files_of_others_may_need_their_points(process: str, source: str, said: bool) -> None:
    text = analysis_template(process, "semileptonic", source).text
    assert ("do not say their θ themselves, import.weight_points must" in text) is said


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("ttH",), "there is no process 'ttH'; did you mean 'tth'\\? Known: .*ttbb, tth"),
        (
            ("tth", "semi"),
            "no decay channel 'semi' of the process 'tth'; did you mean 'semileptonic'\\? Known: all_hadronic, dil",
        ),
        (
            ("tth", "dilepton", "root"),
            "no source 'root' of the process 'tth'; Known: delphes, generation, hepmc, lhe",
        ),
    ],
)
def test_unknown_names(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        analysis_template(*names)
