"""Models that move noise to data in continuous time: flow matching and diffusion, their network and their solver."""

from typing import Literal

from pydantic import Field

from partonic.config.base import StrictModel

__all__ = ["DiffusionConfig", "DivergenceConfig", "FlowMatchingConfig", "SolverConfig", "TimeNetworkConfig"]


class TimeNetworkConfig(StrictModel):
    """A residual network of a point, a time and a condition."""

    width: int = Field(128, ge=1)
    """Units of each layer."""

    blocks: int = Field(3, ge=1)
    """Residual blocks of two layers each."""

    frequencies: int = Field(8, ge=0)
    """Sines and cosines πkt of the time that the network is given beside the time, k = 1, 2, …"""


class SolverConfig(StrictModel):
    """How the ordinary differential equation from noise to data is solved."""

    method: Literal["rk4", "dopri5"] = "rk4"
    """``rk4``: the classical Runge–Kutta formula with steps of equal length. ``dopri5``: Dormand and Prince's pair of
    orders 5 and 4 (J. Comp. Appl. Math. 6 (1980) 19), whose steps adapt to the tolerance."""

    steps: int = Field(10, ge=1)
    """Steps of ``rk4``; each evaluates the network four times."""

    tolerance: float = Field(1e-4, gt=0.0)
    """Largest error of a step of ``dopri5``, for every event, absolute and relative to its numbers: the root mean
    square over the numbers of the event."""

    max_evaluations: int = Field(5_000, ge=7)
    """Evaluations of the network after which ``dopri5`` gives up."""


class DivergenceConfig(StrictModel):
    """How the divergence of the velocity is found, of which the density is the integral."""

    exact_dimensions: int = Field(16, ge=0)
    """Up to so many numbers the divergence is exact, at one derivative for each number; beyond, it is
    Hutchinson's estimate. 0: always the estimate."""

    probes: int = Field(16, ge=2)
    """Random directions of ±1 of Hutchinson's estimate; the scatter of their integrals is the error of the density."""


class FlowMatchingConfig(StrictModel):
    """Conditional flow matching (arXiv:2210.02747): a velocity field that carries Gaussian noise to the data."""

    kind: Literal["flow_matching"] = "flow_matching"
    """Name of the model."""

    network: TimeNetworkConfig = TimeNetworkConfig()
    """The velocity network."""

    smallest_noise: float = Field(0.0, ge=0.0, lt=1.0)
    """Standard deviation around the data at the end of the path, in units of the data's own; 0 for straight paths that
    end on the data."""

    solver: SolverConfig = SolverConfig()
    """Of samples and densities."""

    divergence: DivergenceConfig = DivergenceConfig()
    """Of densities."""


class DiffusionConfig(StrictModel):
    """Denoising diffusion (arXiv:2006.11239) with the cosine schedule (arXiv:2102.09672): a network predicts the noise.

    A noisy point is cos φ times the data plus sin φ times noise; φ rises evenly with time.
    """

    kind: Literal["diffusion"] = "diffusion"
    """Name of the model."""

    network: TimeNetworkConfig = TimeNetworkConfig()
    """The network that predicts the noise."""

    smallest_noise: float = Field(0.01, gt=0.0, lt=1.0)
    """sin φ at time 0, in units of the data's standard deviation: densities are those of data smeared by so much."""

    smallest_signal: float = Field(0.01, gt=0.0, lt=1.0)
    """cos φ at time 1, where samples start from noise alone."""

    sampler: Literal["ddpm", "ddim", "ode"] = "ddim"
    """``ddpm``: fresh noise in every step (arXiv:2006.11239); ``ddim``: none (arXiv:2010.02502); ``ode``: the solver on
    the probability flow (arXiv:2011.13456), as for densities."""

    steps: int = Field(50, ge=1)
    """Steps of ``ddpm`` and ``ddim``; each evaluates the network once."""

    solver: SolverConfig = SolverConfig(method="dopri5", tolerance=1e-3)
    """Of densities, and of the sampler ``ode``."""

    divergence: DivergenceConfig = DivergenceConfig()
    """Of densities."""
