"""MadGraph standalone libraries: a small library that the test compiles, against the closed form of QED."""

import math
import shutil
import subprocess
import threading

import pytest
import torch

from partonic.errors import NonFiniteError, ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.physics.amplitudes.standalone import StandaloneMatrixElement
from partonic.polynomial import Monomials

# e- e+ -> mu- mu+ through a photon, massless: |M|^2 = 2 e^4 (t^2 + u^2) / s^2, averaged over initial spins. The library
# keeps its parameters in one place, as a Fortran common block does, and reads them from the card line by line.
SOURCE = r"""
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double alpha_inverse = 0.0;   /* SMINPUTS 1 */
static double contact = 0.0;         /* NPINPUTS 1: multiplies the amplitude by 1 + contact */

static double value_of(const char *line) {
    char code[64]; double value = 0;
    sscanf(line, "%63s %lf", code, &value);
    return value;
}

static void read_card(const char *path, size_t length) {
    char name[600], line[256], block[64] = "";
    size_t end = length;
    while (end > 0 && path[end - 1] == ' ') end--;
    memcpy(name, path, end); name[end] = 0;
    FILE *card = fopen(name, "r");
    if (!card) exit(3);
    while (fgets(line, sizeof line, card)) {
        if (!strncmp(line, "Block", 5)) { sscanf(line, "Block %63s", block); continue; }
        if (!strcmp(block, "SMINPUTS") && atoi(line) == 1) alpha_inverse = value_of(line);
        if (!strcmp(block, "NPINPUTS") && atoi(line) == 1) contact = value_of(line);
    }
    fclose(card);
}

static double dot(const double *a, const double *b) { return a[0]*b[0] - a[1]*b[1] - a[2]*b[2] - a[3]*b[3]; }

static double squared(const double *p) {
    const double *e = p, *mu = p + 8;
    double s = 2 * dot(p, p + 4), t = -2 * dot(e, mu), u = -s - t;
    double charge2 = 4 * acos(-1.0) / alpha_inverse;
    return 2 * charge2 * charge2 * (t*t + u*u) / (s*s) * (1 + contact) * (1 + contact);
}
"""
ONE_PROCESS = r"""
void setpara_(const char *path, size_t length) { read_card(path, length); }
void smatrix_(const double *p, double *ans) { *ans = squared(p); }
"""
ALL_PROCESSES = r"""
void initialise_(const char *path, size_t length) { read_card(path, length); }
void get_pdg_order_(int *pdgs, int *processes) { (void)pdgs; (void)processes; }
void smatrixhel_(int *pdgs, int *procid, int *n, double *p, double *alphas, double *scale2, int *nhel, double *ans) {
    int asked = *n == 4 && pdgs[2] == 13 && *procid == -1 && *nhel == -1 && *scale2 == 0.0 && *alphas > 0.0;
    *ans = asked ? squared(p) : NAN;
}
"""
CARD = """Block SMINPUTS
    1 1.325070e+02 # aEWM1
    3 0.118 # aS
Block NPINPUTS
    1 0.0 # contact
DECAY 23 2.4952 # WZ
"""
PARTICLES = (11, -11, 13, -13)


def compile_library(folder, name, source):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (cc or gcc) to build the test's shared library")
    (folder / f"{name}.c").write_text(source)
    library = folder / f"{name}.so"
    command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(folder / f"{name}.c"), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return library


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standalone")
    (folder / "param_card.dat").write_text(CARD)
    return folder


@pytest.fixture(scope="module", params=["one", "all"])
def library(request, folder):
    interface = {"one": ONE_PROCESS, "all": ALL_PROCESSES}[request.param]
    return compile_library(folder, f"lib{request.param}", SOURCE + interface)


@pytest.fixture
def element(library, folder):
    return StandaloneMatrixElement(library, PARTICLES, folder / "param_card.dat", trust_library=True)


@pytest.fixture
def momenta(torch_rng):
    cosine = 2 * torch.rand(50, generator=torch_rng, dtype=torch.float64) - 1
    sine, zero, one = torch.sqrt(1 - cosine**2), torch.zeros_like(cosine), torch.ones_like(cosine)
    legs = [(one, zero, zero, one), (one, zero, zero, -one), (one, sine, zero, cosine), (one, -sine, zero, -cosine)]
    return 250.0 * torch.stack([torch.stack(leg, dim=-1) for leg in legs], dim=1)


def closed_form(momenta, alpha=1 / 132.507):
    """e⁴ (1 + cos²θ): the textbook result for unpolarised, massless e⁻e⁺ → μ⁻μ⁺."""
    cosine = momenta[:, 2, 3] / momenta[:, 2, 0]
    return (4 * math.pi * alpha) ** 2 * (1 + cosine**2)


def test_agrees_with_the_closed_form(element, momenta):
    torch.testing.assert_close(element.squared(momenta), closed_form(momenta), rtol=1e-12, atol=0)
    assert isinstance(element, SquaredMatrixElement)


def test_momenta_need_not_be_contiguous(element, momenta):
    reordered = momenta.flip(0).transpose(0, 1).contiguous().transpose(0, 1)
    torch.testing.assert_close(element.squared(reordered), closed_form(momenta.flip(0)), rtol=1e-12, atol=0)


def test_parameters_by_name_and_by_code(element, momenta):
    element.set_parameters({"aEWM1": 100.0})
    torch.testing.assert_close(element.squared(momenta), closed_form(momenta, 0.01), rtol=1e-12, atol=0)
    element.set_parameters({"SMINPUTS_1": 137.0})
    torch.testing.assert_close(element.squared(momenta), closed_form(momenta, 1 / 137), rtol=1e-12, atol=0)
    assert element.parameters == {"aEWM1": 137.0, "aS": 0.118, "contact": 0.0, "WZ": 2.4952}


def test_two_objects_on_one_library_keep_their_own_parameters(library, folder, momenta):
    first = StandaloneMatrixElement(library, PARTICLES, folder / "param_card.dat", trust_library=True)
    second = StandaloneMatrixElement(library, PARTICLES, folder / "param_card.dat", trust_library=True)
    second.set_parameters({"aEWM1": 64.0})
    torch.testing.assert_close(first.squared(momenta), closed_form(momenta), rtol=1e-12, atol=0)
    torch.testing.assert_close(second.squared(momenta), closed_form(momenta, 1 / 64), rtol=1e-12, atol=0)


def test_threads_take_turns(element, momenta):
    results = {}
    threads = [
        threading.Thread(target=lambda k=k: results.update({k: element.squared(momenta.roll(k, 0))})) for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in range(8):
        torch.testing.assert_close(results[k], closed_form(momenta).roll(k, 0), rtol=1e-12, atol=0)


def test_becomes_an_amplitude(element, momenta):
    amplitude = MorphedAmplitude(element, Monomials.up_to_degree(["contact"], 2), strong_coupling="aS")
    coefficients = amplitude.coefficients(momenta, torch.full((50,), 0.1, dtype=torch.float64))
    expected = closed_form(momenta)[:, None] * torch.tensor([[1.0, 2.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(coefficients, expected, rtol=1e-11, atol=0)


def test_consent_is_needed(library, folder):
    with pytest.raises(ProcessError, match="trust_library=True"):
        StandaloneMatrixElement(library, PARTICLES, folder / "param_card.dat")


def test_unknown_parameter(element):
    with pytest.raises(ParameterError, match=r"did you mean aEWM1.*It holds: WZ, aEWM1, aS, contact"):
        element.set_parameters({"aEWM": 1.0})
    with pytest.raises(ParameterError, match="must be finite"):
        element.set_parameters({"contact": math.nan})


def test_results_that_are_not_finite(element, momenta):
    momenta[3] = 0.0
    with pytest.raises(NonFiniteError, match=r"1 of 50 .* first at event 3"):
        element.squared(momenta)


def test_wrong_number_of_particles(element, momenta):
    with pytest.raises(ProcessError, match=r"\(events, 4, 4\).*got torch.float64 of shape \(50, 3, 4\)"):
        element.squared(momenta[:, :3])


def test_no_colour_flows(element, momenta):
    assert element.colour_flows == ()
    with pytest.raises(ProcessError, match="no colour flows"):
        element.flow_squared(momenta)


def test_missing_files(library, folder, tmp_path):
    with pytest.raises(ProcessError, match="not found"):
        StandaloneMatrixElement(tmp_path / "none.so", PARTICLES, folder / "param_card.dat", trust_library=True)
    with pytest.raises(ProcessError, match="parameter card not found"):
        StandaloneMatrixElement(library, PARTICLES, tmp_path / "none.dat", trust_library=True)


def test_file_that_is_no_library(folder, tmp_path):
    (tmp_path / "text.so").write_text("not a library")
    with pytest.raises(ProcessError, match=r"cannot load .* built for"):
        StandaloneMatrixElement(tmp_path / "text.so", PARTICLES, folder / "param_card.dat", trust_library=True)


def test_library_of_another_machine(library, folder, tmp_path):
    content = bytearray(library.read_bytes())
    content[18:20] = (0xF3).to_bytes(2, "little") if content[18] != 0xF3 else (0x3E).to_bytes(2, "little")  # e_machine
    (tmp_path / "foreign.so").write_bytes(content)
    with pytest.raises(ProcessError, match="cannot load"):
        StandaloneMatrixElement(tmp_path / "foreign.so", PARTICLES, folder / "param_card.dat", trust_library=True)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("void other_(void) {}", "initialise_, setpara_"),
        ("void setpara_(char *path, long n) {}", "smatrix_"),
        ("void setpara_(char *path, long n) {} int get_flavor_index_(int *f) { return 0; }", "flavour index"),
    ],
)
def test_missing_symbols(folder, tmp_path, source, message):
    library = compile_library(tmp_path, "incomplete", source)
    with pytest.raises(ProcessError, match=message):
        StandaloneMatrixElement(library, PARTICLES, folder / "param_card.dat", trust_library=True)
