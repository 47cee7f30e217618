from pathlib import Path

import pytest

from partonic.config import AnalysisConfig, load_analysis
from partonic.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    path = folder / "analysis.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_the_name_is_needed(tmp_path: Path) -> None:
    config = load_analysis(written(tmp_path, "name: first\n"))
    assert config == AnalysisConfig(name="first")
    assert config.output == Path("runs/first")
    assert config.process.name == "tth"


def test_output_of_the_caller_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "name: first\noutput: here\n")
    assert load_analysis(path).output == Path("here")
    assert load_analysis(path, output=tmp_path / "there").output == tmp_path / "there"


@pytest.mark.parametrize("name", ["../up", "with space", ""])
def test_name_must_serve_as_a_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"analysis\.yaml:1: name: string should match pattern"):
        load_analysis(written(tmp_path, f"name: '{name}'\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "generation:\n  theta:\n    kapa_tilde_t: 0.5\n",
            r"analysis\.yaml:4: generation\.theta\.kapa_tilde_t: the process 'tth' has no theory parameter "
            r"'kapa_tilde_t'; did you mean 'kappa_tilde_t'\? Known: c_tG, delta_kappa_t, kappa_tilde_t$",
        ),
        (
            "generation:\n  theta_mixture:\n    - {c_tG: 1.0}\n    - {ctG: 1.0}\n",
            r"analysis\.yaml:5: generation\.theta_mixture\.1\.ctG: .*'c_tG'",
        ),
        (
            "import:\n  format: lhe\n  files: [a.lhe]\n  weight_points:\n    rwgt_1: {ctg: 1.0}\n",
            r"analysis\.yaml:6: import\.weight_points\.rwgt_1\.ctg: .*'c_tG'",
        ),
        ("report:\n  theta: [{c_tG: 1}, {c_tZ: 1}]\n", r"analysis\.yaml:3: report\.theta\.1\.c_tZ: "),
        (
            "simulation:\n  pythia_settings:\n    - TimeShower:alphaSvalue = 0.13\n    - Random:seed = 3\n",
            r"analysis\.yaml:5: simulation\.pythia_settings\.1: 'Random:seed = 3' is set by partonic",
        ),
        ("generation:\n  weight_scales: {c_tg: 1.0}\n", r"analysis\.yaml:3: generation\.weight_scales\.c_tg: "),
        ("process: {name: ttH}\n", r"analysis\.yaml:2: process\.name: there is no process 'ttH'; did you mean 'tth'"),
        ("generation: {evnts: 5}\n", r"generation\.evnts: unknown key 'evnts'; did you mean 'events'\?"),
    ],
)
def test_bad_setting(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_analysis(written(tmp_path, "name: first\n" + text))


def test_parameters_that_are_not_named_are_those_of_the_standard_model(tmp_path: Path) -> None:
    """In tHq that is kappa_e = 1; where it is θ = 0 nothing is added."""
    text = (
        "name: a\nprocess: {name: thq}\ngeneration: {theta: {kappa_o: 0.5}, theta_mixture: [{}, {kappa_e: -1.0}]}\n"
        "report: {theta: [{kappa_o: 1.0}]}\n"
    )
    path = tmp_path / "a.yaml"
    path.write_text(text, encoding="utf-8")
    config = load_analysis(path)
    assert config.generation.theta == {"kappa_e": 1.0, "kappa_o": 0.5}
    assert config.generation.theta_mixture == ({"kappa_e": 1.0}, {"kappa_e": -1.0})
    assert config.report.reference == {"kappa_e": 1.0}
    assert config.report.theta == ({"kappa_e": 1.0, "kappa_o": 1.0},)
    path.write_text("name: a\n", encoding="utf-8")
    assert load_analysis(path).generation.theta == {}


def test_points_of_weights_are_completed(tmp_path: Path) -> None:
    section = "{format: lhe, files: [e.lhe], weight_points: {w1: {kappa_o: 1.0}, w2: {kappa_e: 0.0}}}"
    path = tmp_path / "a.yaml"
    path.write_text(f"name: a\nprocess: {{name: thq}}\nimport: {section}\n", encoding="utf-8")
    points = load_analysis(path).import_.weight_points
    assert points == {"w1": {"kappa_e": 1.0, "kappa_o": 1.0}, "w2": {"kappa_e": 0.0}}


def test_decay_that_the_process_does_not_have_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: a\nprocess: {name: ttbb}\nsimulation:\n  decays:\n    higgs: tautau\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?s)a.yaml:5.*higgs.*decays no H of the process 'ttbb': it decays t, t̄"):
        load_analysis(path)


def test_imported_events_have_the_decays_of_their_file(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    text = "name: a\nprocess: {name: ttbb}\nsimulation: {decays: {higgs: bb}}\nimport: {format: lhe, files: [e.lhe]}\n"
    path.write_text(text, encoding="utf-8")
    assert load_analysis(path).simulation.decays.higgs == "bb"


@pytest.mark.parametrize("section", ["unfolding", "mem_training", "mem", "classical"])
@pytest.mark.parametrize(
    ("process", "reason"),
    [("{name: wz}", "has none"), ("{name: tth, decays: in_matrix_element}", "set process.decays to shower")],
)
def test_methods_that_need_a_top_pair(tmp_path: Path, section: str, process: str, reason: str) -> None:
    path = written(tmp_path, f"name: first\nprocess: {process}\n{section}: {{}}\n")
    with pytest.raises(ConfigError, match=rf"analysis\.yaml:3: {section}: works on .*a top pair .*{reason}"):
        load_analysis(path)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("process: {name: tth, top_decays: {tops: dilepton}}", "add decays: in_matrix_element"),
        ("process: {name: thq, decays: in_matrix_element, top_decays: {tops: dilepton}}", "tops"),
        ("process: {name: tth, decays: in_matrix_element, top_decays: {leptons: [e, e]}}", "listed twice"),
        (
            "process: {name: tth, decays: in_matrix_element}\nsimulation: {decays: {tops: dilepton}}",
            "decays no t or t̄",
        ),
    ],
)
def test_impossible_decays_of_tops(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_analysis(written(tmp_path, f"name: first\n{keys}\n"))


def test_decays_of_the_matrix_element_leave_those_of_the_shower(tmp_path: Path) -> None:
    config = load_analysis(written(tmp_path, "name: first\nprocess: {name: thq, decays: in_matrix_element}\n"))
    assert config.simulation.decays.higgs == "gammagamma"
    assert config.simulation.selection.photons == 2


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ("{name: wz, top_decays: {}}", r"unknown key 'top_decays'; other processes have it \(thq, tth\); .*w_mass"),
        ("{name: ttbb, decays: shower}", r"unknown key 'decays'; .*other processes have it \(thq, tth, wh, wz, zh\)"),
        ("{top_mas: 1.0}", r"unknown key 'top_mas'; did you mean 'top_mass'\? Known: .*fermi_constant"),
    ],
)
def test_keys_of_other_processes_are_not_proposed(tmp_path: Path, process: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_analysis(written(tmp_path, f"name: first\nprocess: {process}\n"))
    known = str(caught.value).partition("Known: ")[2].split(", ")
    assert "degree" not in known, "only the process 'external' has it"
    assert ("lepton_eta_max" in known) == ("wz" in process)


def test_targets_of_fractional_smearing_are_found_before_any_work(tmp_path: Path) -> None:
    text = "name: first\nsimulation:\n  fractional_smearing: {targets: [c_tG, c_tGG]}\n"
    with pytest.raises(ConfigError, match=r":3: .*targets\.1: 'c_tGG' is no monomial .*did you mean 'c_tG'\?"):
        load_analysis(written(tmp_path, text))
    load_analysis(written(tmp_path, text.replace("c_tGG", '"c_tG^2"')))


@pytest.mark.parametrize("sbi", [{}, {"features": ["s_hat"], "network": {"backbone": "set_transformer"}},
                                 {"features": ["s_hat"], "also": {"other": {"features": ["high_level"]}}}])  # fmt: skip
def test_events_that_stay_partons_have_no_objects(sbi):
    settings = {"name": "a", "process": {"name": "wz", "decays": "none"}, "simulation": {"level": "partons"}}
    assert AnalysisConfig.model_validate({**settings, "sbi": {"features": ["s_hat", "t_hat"]}}).sbi is not None
    with pytest.raises(ValueError, match=r"with `simulation\.level: partons` there are none"):
        AnalysisConfig.model_validate({**settings, "sbi": sbi})
