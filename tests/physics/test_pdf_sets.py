import subprocess
import sys

import pytest

from partonic.errors import PdfError
from partonic.physics.pdf_sets import available_sets, coupling_from_name, find_set, pythia_folder, search_folders

NAME = "NNPDF31_lo_as_0130"


def put(folder, name, info=None, member=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}_{member:04d}.dat").write_text("grid")
    if info is not None:
        (folder / f"{name}.info").write_text(info)


def test_default_is_what_ships_with_pythia(monkeypatch):
    monkeypatch.delenv("LHAPDF_DATA_PATH", raising=False)
    found = find_set(NAME)
    assert found.grid == pythia_folder() / f"{NAME}_0000.dat"
    assert found.info == {}
    assert NAME in available_sets(search_folders())


def test_pythia_is_not_imported_to_find_its_grids():
    code = "import sys; from partonic.physics.pdf_sets import find_set; find_set('NNPDF31_lo_as_0130');"
    code += "sys.exit('pythia8mc' in sys.modules or 'madspace' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_folder_of_pythia_from_its_environment_variable(monkeypatch, tmp_path):
    put(tmp_path / "pdfdata", "mine")
    monkeypatch.setenv("PYTHIA8DATA", str(tmp_path / "xmldoc"))
    assert pythia_folder() == (tmp_path / "pdfdata").resolve()


def test_flat_files_and_folders_with_info(tmp_path):
    put(tmp_path, "flat", member=3)
    put(tmp_path / "boxed", "boxed", info="SetDesc: 'a set: with a colon'\nAlphaS_MZ: 0.118\n")
    assert find_set("flat", tmp_path, member=3).grid == tmp_path / "flat_0003.dat"
    found = find_set("boxed", tmp_path)
    assert found.grid == tmp_path / "boxed" / "boxed_0000.dat"
    assert found.info["AlphaS_MZ"] == 0.118


def test_lhapdf_data_path_comes_before_pythia(monkeypatch, tmp_path):
    put(tmp_path / "second" / NAME, NAME)
    monkeypatch.setenv("LHAPDF_DATA_PATH", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    assert find_set(NAME).grid == tmp_path / "second" / NAME / f"{NAME}_0000.dat"


def test_missing_set_names_what_there_is(tmp_path):
    put(tmp_path, "alpha")
    put(tmp_path / "beta", "beta")
    with pytest.raises(PdfError, match=r"'gamma', member 0, not found.*Sets found: alpha, beta") as caught:
        find_set("gamma", tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(PdfError, match=r"alpha_0007\.dat"):
        find_set("alpha", tmp_path, member=7)


def test_nothing_anywhere(tmp_path):
    with pytest.raises(PdfError, match="Sets found: none"):
        find_set("gamma", tmp_path / "nowhere")


@pytest.mark.parametrize("info", ["a: [1, 2", "- just\n- a list\n"])
def test_broken_info(tmp_path, info):
    put(tmp_path, "broken", info=info)
    with pytest.raises(PdfError, match=r"broken\.info"):
        find_set("broken", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NNPDF31_lo_as_0130", (0.130, 1)),
        ("NNPDF31_nnlo_as_0118_luxqed", (0.118, 2)),
        ("NNPDF31sx_nlonllx_as_0118_LHCb_luxqed", (0.118, 2)),
        ("NNPDF23_lo_as_0119_qed", (0.119, 1)),
        ("CT14qed_proton", None),
    ],
)
def test_coupling_told_by_the_name(name, expected):
    assert coupling_from_name(name) == expected
