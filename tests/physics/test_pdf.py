import numpy as np
import pytest
import torch

from partonic.errors import PdfError
from partonic.physics.pdf import PartonDensities
from partonic.physics.pdf_sets import available_sets, pythia_folder
from partonic.physics.phasespace.fractions import MomentumFractions
from partonic.physics.strong_coupling import RunningCoupling

NAME = "NNPDF31_lo_as_0130"
FLAVOURS = (-5, -4, -3, -2, -1, 21, 1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def densities():
    return PartonDensities(NAME, folder=pythia_folder())


@pytest.fixture(scope="module")
def pythia_density():
    """x f(x, μ) of Pythia's own reader of the same grid. Pythia sets negative densities to zero."""
    import pythia8mc

    pythia = pythia8mc.Pythia("", False)
    pythia.readString("Print:quiet = on")
    assert pythia.readString(f"PDF:pSet = LHAGrid1:{NAME}_0000.dat")
    beam = pythia.getPDFPtr(2212)

    def evaluate(flavours, x, scale):
        rows = [
            [beam.xf(flavour, float(a), float(q) ** 2) for flavour in flavours] for a, q in zip(x, scale, strict=True)
        ]
        return torch.tensor(rows, dtype=torch.float64)

    evaluate.pythia = pythia  # keeps the owner of the beam alive
    return evaluate


@pytest.fixture(scope="module")
def grid_file():
    """The second subgrid of the file, read by hand: x knots, μ knots, flavours, values (x, μ, flavour)."""
    block = (pythia_folder() / f"{NAME}_0000.dat").read_text().split("---")[2].strip().splitlines()
    x, scale = (np.array(line.split(), dtype=float) for line in block[:2])
    flavours = [int(word) for word in block[2].split()]
    values = np.array([line.split() for line in block[3:]], dtype=float).reshape(len(x), len(scale), len(flavours))
    return x, scale, flavours, values


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def test_exact_at_the_knots(densities, grid_file):
    x, scale, flavours, values = grid_file
    knots_x, knots_scale = np.meshgrid(x[1:-1], scale[1:-1], indexing="ij")
    result = densities.x_times_density(flavours, tensor(knots_x.ravel()), tensor(knots_scale.ravel()))
    assert result.dtype == torch.float64
    np.testing.assert_allclose(result.numpy(), values[1:-1, 1:-1].reshape(-1, len(flavours)), rtol=1e-12, atol=1e-14)


def hermite(knots, values, at):
    """Cubic Hermite interpolation with the mean of the neighbouring differences as slope (arXiv:1412.7420)."""
    differences = np.diff(values, axis=0) / np.diff(knots)[:, None]
    slopes = 0.5 * (differences[1:] + differences[:-1])  # of the knots 1, …, n − 2
    cell = np.searchsorted(knots, at) - 1
    width = (knots[cell + 1] - knots[cell])[:, None]
    t = ((at - knots[cell]) / (knots[cell + 1] - knots[cell]))[:, None]
    return (
        values[cell] * (1 + 2 * t) * (1 - t) ** 2
        + slopes[cell - 1] * width * t * (1 - t) ** 2
        + values[cell + 1] * t**2 * (3 - 2 * t)
        + slopes[cell] * width * t**2 * (t - 1)
    )


def test_interpolation_in_x_is_the_published_one(densities, grid_file):
    x, scale, flavours, values = grid_file
    at = np.exp(np.random.default_rng(5).uniform(np.log(x[2]), np.log(x[-3]), 2000))
    result = densities.x_times_density(flavours, tensor(at), tensor(np.full(len(at), scale[15])))
    np.testing.assert_allclose(result.numpy(), hermite(np.log(x), values[:, 15], np.log(at)), rtol=1e-9, atol=1e-13)


def test_interpolation_in_the_scale_is_the_published_one(densities, grid_file):
    x, scale, flavours, values = grid_file
    at = np.exp(np.random.default_rng(5).uniform(np.log(scale[2]), np.log(scale[-3]), 2000))
    result = densities.x_times_density(flavours, tensor(np.full(len(at), x[90])), tensor(at))
    np.testing.assert_allclose(result.numpy(), hermite(np.log(scale), values[90], np.log(at)), rtol=1e-9, atol=1e-13)


def test_close_to_pythia_for_all_flavours(densities, pythia_density, torch_rng):
    """Pythia interpolates the same knots with other polynomials, which shows where the grid is coarse or rough."""
    x = 10 ** (-4.0 + 3.7 * torch.rand(3000, generator=torch_rng, dtype=torch.float64))
    scale = 10 ** (1.0 + 2.0 * torch.rand(3000, generator=torch_rng, dtype=torch.float64))
    ours = densities.x_times_density(FLAVOURS, x, scale).clamp(min=0.0)
    theirs = pythia_density(FLAVOURS, x, scale)
    relative = (ours - theirs).abs() / torch.maximum(theirs, 1e-3 * theirs.amax(dim=1, keepdim=True))
    assert float(relative.median()) < 3e-5
    assert float(relative.quantile(0.95)) < 5e-4
    assert float(relative.quantile(0.99)) < 2e-3
    assert float(relative.max()) < 2e-2


def test_gluon_luminosity_agrees_with_pythia(densities, pythia_density, torch_rng):
    # What a cross section feels: the gluon luminosity above the ttH threshold, weighted with 1/s.
    x1, x2, log_jacobian = MomentumFractions(470.0, 13_000.0).forward(
        torch.rand(10_000, 2, generator=torch_rng, dtype=torch.float64)
    )
    weight = log_jacobian.exp() / (x1 * x2) ** 2
    scale = torch.full_like(x1, 235.0)
    ours = densities.x_times_density([21], x1, scale) * densities.x_times_density([21], x2, scale)
    theirs = pythia_density([21], x1, scale) * pythia_density([21], x2, scale)
    ratio = float((ours[:, 0] * weight).sum() / (theirs[:, 0] * weight).sum())
    assert ratio == pytest.approx(1.0, abs=3e-4)


def integral_over_x(densities, flavours, scale):
    """∫ f(x) x dx of each parton, trapezoidal in ln x (fine enough that the grid limits the precision)."""
    log_x = torch.linspace(np.log(1e-8), 0.0, 40_001, dtype=torch.float64)
    x = torch.exp(log_x)
    values = densities.x_times_density(flavours, x, torch.full_like(x, scale))
    return x, log_x, values


@pytest.mark.parametrize("scale", [10.0, 91.2, 235.0, 1000.0])
def test_momentum_sum_rule(densities, scale):
    x, log_x, values = integral_over_x(densities, FLAVOURS, scale)
    assert float(torch.trapezoid((x[:, None] * values).sum(dim=1), log_x)) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize(("quark", "number"), [(2, 2.0), (1, 1.0), (3, 0.0)])
def test_valence_sum_rules(densities, quark, number):
    _, log_x, values = integral_over_x(densities, [quark, -quark], 100.0)
    assert float(torch.trapezoid(values[:, 0] - values[:, 1], log_x)) == pytest.approx(number, abs=0.03)


def test_outside_the_grid(densities):
    x = tensor([1e-12, 1e-12, 0.1, 0.1, 0.1, 1.0, 1.5])
    scale = tensor([1e-3, 100.0, 0.5, 1.65, 1e7, 100.0, 100.0])
    values = densities.x_times_density([21, 2], x, scale)
    edges = densities.x_times_density([21, 2], tensor([1e-9, 1e-9, 0.1]), tensor([1.65, 100.0, 1e5]))
    torch.testing.assert_close(values[:2], edges[:2], rtol=1e-9, atol=0)
    assert (values[2] == values[3]).all()
    assert (values[2] > 0).all()
    torch.testing.assert_close(values[4], edges[2], rtol=1e-9, atol=0)
    assert (values[5:] == 0).all()


def test_frozen_as_in_pythia(densities, pythia_density):
    x, scale = tensor([1e-11, 0.1, 0.1]), tensor([100.0, 1.0, 1e6])
    expected = pythia_density([21, 2], x, scale)
    torch.testing.assert_close(densities.x_times_density([21, 2], x, scale), expected, rtol=3e-5, atol=0)


@pytest.mark.parametrize("bad", [0.0, -0.1, float("nan")])
def test_fractions_and_scales_that_make_no_sense(densities, bad):
    with pytest.raises(PdfError, match="1 fractions and 0 scales of 2"):
        densities.x_times_density([21], tensor([0.1, bad]), tensor([100.0, 100.0]))
    with pytest.raises(PdfError, match="0 fractions and 1 scales of 2"):
        densities.x_times_density([21], tensor([0.1, 0.1]), tensor([100.0, bad]))


def test_parton_that_is_not_in_the_set(densities):
    with pytest.raises(PdfError, match=r"no density of \[6, 22\]"):
        densities.x_times_density([21, 6, 22], tensor([0.1]), tensor([100.0]))


def test_gradients(densities, torch_rng):
    x = (10 ** (-3.0 + 2.5 * torch.rand(50, generator=torch_rng, dtype=torch.float64))).requires_grad_()
    scale = (10 ** (1.0 + 2.0 * torch.rand(50, generator=torch_rng, dtype=torch.float64))).requires_grad_()
    weights = torch.randn(50, 3, generator=torch_rng, dtype=torch.float64)

    def scalar(a, q):
        return (weights * densities.x_times_density([21, 2, -1], a, q)).sum()

    gradient_x, gradient_scale = torch.autograd.grad(scalar(x, scale), (x, scale))
    step = 1e-5
    with torch.no_grad():
        for index in range(50):
            for point, gradient in ((x, gradient_x), (scale, gradient_scale)):
                moved = [point.clone(), point.clone()]
                moved[0][index] *= 1 - step
                moved[1][index] *= 1 + step
                low, high = (scalar(m, scale) if point is x else scalar(x, m) for m in moved)
                slope = float(high - low) / (2 * step * float(point[index]))
                assert float(gradient[index]) == pytest.approx(slope, rel=1e-4, abs=1e-6 * float(gradient.abs().max()))


@pytest.mark.parametrize("name", available_sets([pythia_folder()]))
def test_every_grid_that_ships_with_pythia_can_be_read(name):
    densities = PartonDensities(name, folder=pythia_folder())
    x = torch.logspace(-9, 0, 200, dtype=torch.float64)
    scale = torch.logspace(-1, 5, 200, dtype=torch.float64)
    assert densities.x_times_density(densities.flavours, x, scale).isfinite().all()


def test_coupling_of_the_shipped_set(densities):
    scale = tensor([50.0, 91.188, 235.0])
    expected = RunningCoupling(value=0.130, order=1, flavours=5)(scale)
    assert torch.equal(densities.alpha_s(scale), expected)
    assert float(densities.alpha_s(scale)[1]) == pytest.approx(0.130, rel=1e-14)


def test_coupling_that_nobody_tells():
    densities = PartonDensities("CT14qed_proton", folder=pythia_folder())
    with pytest.raises(PdfError, match=r"give PartonDensities\(..., coupling="):
        densities.alpha_s(tensor([100.0]))
    told = PartonDensities("CT14qed_proton", folder=pythia_folder(), coupling=RunningCoupling(value=0.118, order=2))
    assert float(told.alpha_s(tensor([91.188]))[0]) == pytest.approx(0.118, rel=1e-9)


@pytest.fixture
def boxed_set(tmp_path):
    """The shipped grid in the layout of LHAPDF; returns a function that writes its .info file."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toy_0000.dat").symlink_to(pythia_folder() / f"{NAME}_0000.dat")

    def write(info):
        (folder / "toy.info").write_text(info)
        return PartonDensities("toy", folder=tmp_path)

    return write


def test_coupling_from_the_table_of_a_set(boxed_set):
    densities = boxed_set("AlphaS_MZ: 0.5\nAlphaS_Qs: [1.0, 10.0, 100.0]\nAlphaS_Vals: [0.4, 0.18, 0.116]\n")
    torch.testing.assert_close(densities.alpha_s(tensor([10.0, 100.0, 1e4])), tensor([0.18, 0.116, 0.116]))


@pytest.mark.parametrize(("lhapdf_order", "order"), [(0, 1), (1, 2), (2, 2)])
def test_coupling_from_the_value_of_a_set(boxed_set, lhapdf_order, order):
    densities = boxed_set(f"AlphaS_MZ: 0.119\nAlphaS_OrderQCD: {lhapdf_order}\n")
    scale = tensor([235.0])
    assert torch.equal(densities.alpha_s(scale), RunningCoupling(value=0.119, order=order)(scale))


HEADER = "PdfType: central\nFormat: lhagrid1\n---\n"
SHORT = HEADER + "1e-9 0.1 0.5 1.0\n1.0 10.0\n21 2\n" + "1.0 2.0\n" * 7
MALFORMED = [
    "",
    "no grid at all",
    HEADER + "1e-9 1.0\n1.0\n",
    SHORT + "---\n",
    SHORT + "nan 2.0\n---\n",
    SHORT + "1.0 x\n",
]


@pytest.mark.parametrize("content", MALFORMED)
def test_malformed_grid(tmp_path, content):
    (tmp_path / "broken_0000.dat").write_text(content)
    with pytest.raises(PdfError, match=r"broken_0000\.dat"):
        PartonDensities("broken", folder=tmp_path)
