"""Libraries with the UMAMI interface: a small one that the test compiles, against the closed form."""

import math
import shutil
import subprocess

import pytest
import torch

from partonic.errors import NonFiniteError, ParameterError, ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.physics.amplitudes.morphed import MorphedAmplitude
from partonic.physics.amplitudes.umami import UmamiMatrixElement

# q qbar -> Q Qbar, all massless, by QCD: |M|^2 = (4/9) g^4 (t^2 + u^2) / s^2, times (1 + theta)^2.
SOURCE = r"""
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
typedef struct { double theta; } Instance;
int umami_get_meta(int key, void *result) { if (key != 1) return 6; *(int *)result = 4; return 0; }
int umami_initialize(void **handle, const char *card) {
    if (!strstr(card, "param_card")) return 1;
    *handle = calloc(1, sizeof(Instance)); return 0;
}
int umami_free(void *handle) { free(handle); return 0; }
int umami_matrix_element(void *handle, size_t count, size_t stride, size_t offset, size_t n_in, const int *in_keys,
                         void const *const *inputs, size_t n_out, const int *out_keys, void *const *outputs) {
    const double *p = NULL, *alpha_s = NULL;
    for (size_t k = 0; k < n_in; k++) {
        if (in_keys[k] == 0) p = inputs[k];
        else if (in_keys[k] == 1 && ACCEPTS_ALPHA_S) alpha_s = inputs[k];
        else return 3;
    }
    if (!p || n_out != 1 || out_keys[0] != 0) return 4;
    for (size_t event = offset; event < offset + count; event++) {
        double s = 0, t = 0;
        for (int mu = 0; mu < 4; mu++) {
            double sign = mu ? -2 : 2, x[4];
            for (int leg = 0; leg < 4; leg++) x[leg] = p[event + stride * (leg + 4 * mu)];
            s += sign * x[0] * x[1]; t -= sign * x[0] * x[2];
        }
        double u = -s - t, g2 = 4 * acos(-1.0) * (alpha_s ? alpha_s[event] : 0.118);
        double k = 1 + ((Instance *)handle)->theta;
        ((double *)outputs[0])[event] = 4.0 / 9.0 * g2 * g2 * (t * t + u * u) / (s * s) * k * k;
    }
    return 0;
}
"""
SETTER = r"""
int umami_set_parameter(void *handle, const char *name, double real, double imaginary) {
    if (strcmp(name, "theta") || imaginary != 0) return 1;
    ((Instance *)handle)->theta = real; return 0;
}
"""
NO_SETTER = "int umami_set_parameter(void *h, const char *name, double re, double im) { return 2; }"
PARTICLES = (2, -2, 1, -1)


def compile_library(folder, source, *flags):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (cc or gcc) to build the test's shared library")
    (folder / "library.c").write_text(source)
    library = folder / "library.so"
    command = [compiler, "-shared", "-fPIC", *flags, "-o", str(library), str(folder / "library.c"), "-lm"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def build(folder, source=SOURCE + SETTER, alpha_s=1, **options):
    library = compile_library(folder, source, f"-DACCEPTS_ALPHA_S={alpha_s}")
    return UmamiMatrixElement(library, PARTICLES, folder / "param_card.dat", trust_library=True, **options)


@pytest.fixture
def momenta(torch_rng):
    cosine = 2 * torch.rand(40, generator=torch_rng, dtype=torch.float64) - 1
    sine, zero, one = torch.sqrt(1 - cosine**2), torch.zeros_like(cosine), torch.ones_like(cosine)
    legs = [(one, zero, zero, one), (one, zero, zero, -one), (one, zero, sine, cosine), (one, zero, -sine, -cosine)]
    return 250.0 * torch.stack([torch.stack(leg, dim=-1) for leg in legs], dim=1)


def closed_form(momenta, alpha_s=0.118):
    cosine = momenta[:, 2, 3] / momenta[:, 2, 0]
    return (4 * math.pi * alpha_s) ** 2 * (2 / 9) * (1 + cosine**2)


def test_agrees_with_the_closed_form(tmp_path, momenta):
    element = build(tmp_path)
    torch.testing.assert_close(element.squared(momenta), closed_form(momenta), rtol=1e-12, atol=0)
    assert isinstance(element, SquaredMatrixElement)


def test_instances_have_their_own_parameters(tmp_path, momenta):
    first, second = build(tmp_path), build(tmp_path, parameters={"theta": 1.0, "aS": 0.1})
    torch.testing.assert_close(first.squared(momenta), closed_form(momenta), rtol=1e-12, atol=0)
    torch.testing.assert_close(second.squared(momenta), 4 * closed_form(momenta, 0.1), rtol=1e-12, atol=0)
    assert second.parameters == {"aS": 0.1, "theta": 1.0}


def test_becomes_an_amplitude(tmp_path, momenta):
    amplitude = MorphedAmplitude(build(tmp_path))
    alpha_s = torch.linspace(0.09, 0.15, 40, dtype=torch.float64)
    expected = closed_form(momenta) * (alpha_s / 0.118) ** 2
    torch.testing.assert_close(amplitude.coefficients(momenta, alpha_s)[:, 0], expected, rtol=1e-11, atol=0)


def test_library_with_a_fixed_strong_coupling(tmp_path, momenta):
    element = build(tmp_path, alpha_s=0)
    torch.testing.assert_close(element.squared(momenta), closed_form(momenta), rtol=1e-12, atol=0)
    element.set_parameters({"aS": 0.1})  # must not be ignored in silence
    with pytest.raises(ProcessError, match="failed to evaluate 40 events"):
        element.squared(momenta)


@pytest.mark.parametrize("source", [SOURCE, SOURCE + NO_SETTER])
def test_library_that_cannot_change_parameters(tmp_path, source):
    with pytest.raises(ParameterError, match="cannot change parameters"):
        build(tmp_path, source, parameters={"theta": 1.0})


def test_unknown_parameter(tmp_path):
    with pytest.raises(ParameterError, match="refused to set 'kappa'"):
        build(tmp_path, parameters={"kappa": 1.0})
    with pytest.raises(ParameterError, match="finite"):
        build(tmp_path, parameters={"theta": math.inf})


def test_errors_of_the_library(tmp_path, momenta):
    library = compile_library(tmp_path, SOURCE + SETTER, "-DACCEPTS_ALPHA_S=1")
    with pytest.raises(ProcessError, match="4 particles, but 3 were named"):
        UmamiMatrixElement(library, (2, -2, 22), tmp_path / "param_card.dat", trust_library=True)
    with pytest.raises(ProcessError, match="failed to read"):
        UmamiMatrixElement(library, PARTICLES, tmp_path / "other.dat", trust_library=True)
    with pytest.raises(ProcessError, match="trust_library=True"):
        UmamiMatrixElement(library, PARTICLES, tmp_path / "param_card.dat")
    element = build(tmp_path)
    with pytest.raises(NonFiniteError, match="first at event 0"):
        element.squared(momenta * 0.0)
    with pytest.raises(ProcessError, match="no colour flows"):
        element.flow_squared(momenta)


def test_missing_symbol(tmp_path):
    with pytest.raises(ProcessError, match="umami_get_meta"):
        build(tmp_path, "void other(void) {}")
