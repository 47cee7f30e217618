import pytest

from partonic.events.process_info import ProcessInfo
from partonic.events.schema import StoreMetadata
from partonic.process_registry import find_process
from partonic.report.labels import monomial_label, parameter_label, particle_label, plain, produced_particles


def test_particles_and_parameters() -> None:
    assert particle_label(-6, "tbar") == r"\overline{\mathrm{t}}"
    assert particle_label(9000001, "X_1") == r"\mathrm{X\_1}"
    assert parameter_label("c_tG") == r"$c_\mathrm{tG}$"
    assert parameter_label("my_coupling") == "my coupling"


@pytest.mark.parametrize(
    ("label", "text"),
    [
        (r"$p_\mathrm{T}$(leading jet)", "pT(leading jet)"),
        (r"$|\Delta\phi(\mathrm{t}\overline{\mathrm{t}})|$", "|Δφ(tt̄)|"),
        ("number of jets", "number of jets"),
        (r"$\mathrm{down\_tbar}$", "down tbar"),
    ],
)
def test_labels_without_markup(label: str, text: str) -> None:
    assert plain(label) == text


@pytest.mark.parametrize(
    ("powers", "label"),
    [
        ((0, 0), "1"),
        ((0, 1), r"$c_\mathrm{tG}$"),
        ((1, 0), r"$\mathrm{my\_x}$"),
        ((1, 2), r"$\mathrm{my\_x}\,{c_\mathrm{tG}}^{2}$"),
    ],
)
def test_monomials(powers: tuple[int, int], label: str) -> None:
    assert monomial_label(("my_x", "c_tG"), powers) == label


def test_decayed_resonances_stand_for_their_products() -> None:
    settings = find_process("tth").settings.model_validate({"decays": "in_matrix_element"})
    metadata = StoreMetadata.for_process(ProcessInfo.of_config(settings), seed=1, n_generated=0, config={}, versions={})
    assert [symbol for symbol, _ in produced_particles(metadata)] == [
        r"\mathrm{H}", r"\mathrm{t}", r"\overline{\mathrm{t}}",
    ]  # fmt: skip
    assert [mass for _, mass in produced_particles(metadata)] == [125.0, 172.5, 172.5]
