"""Draw docs/explanation/wz_growth.png: how the coefficients of |M|² of u d̄ → W⁺Z grow with the energy.

    python docs/draw_wz_growth.py

The numbers are those of `partonic.processes.wz.high_energy`; tests compare them with the table of wz.md.
"""

from pathlib import Path

import numpy as np

from partonic.plots.style import PALETTE, figure_style
from partonic.processes.definition import parameter_labels
from partonic.processes.wz.high_energy import central_coefficients

ENERGIES = np.geomspace(250.0, 8000.0, 40)
LINEAR = ("c_PhiWB", "c_WWW", "c_Phiq3")


def draw(path: Path) -> None:
    """Draw the coefficients in units of the Standard Model: terms that are linear in θ, and squares."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    found = [central_coefficients(float(energy)) for energy in ENERGIES]
    standard = np.array([each["1"] for each in found])
    labels = parameter_labels()
    with figure_style():
        figure, both = plt.subplots(1, 2, figsize=(11.0, 5.0), sharex=True, sharey=True)
        for axes, power in zip(both, ("", "^2"), strict=True):
            for name, colour in zip(LINEAR, PALETTE, strict=False):
                ratio = np.array([each[name + power] for each in found]) / standard
                label = labels[name] if not power else f"{labels[name][:-1]}{{}}^2$"
                axes.plot(ENERGIES / 1000.0, ratio, color=colour, label=label)
            for slope in (1, 2):
                guide = 2.5e-3 * (ENERGIES / ENERGIES[0]) ** (2 * slope)
                axes.plot(ENERGIES / 1000.0, guide, color="0.6", linestyle=":", linewidth=1.0)
                text = r"$\hat{s}$" if slope == 1 else r"$\hat{s}^2$"
                axes.text(ENERGIES[-5] / 1000.0, guide[-5], text, color="0.4", ha="right", va="bottom")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_ylim(1e-3, 1e6)
            axes.set_xticks([0.25, 0.5, 1, 2, 4, 8], ["0.25", "0.5", "1", "2", "4", "8"])
            axes.minorticks_off()
            axes.set_xlabel(r"$\sqrt{\hat{s}}$ [TeV]")
            axes.legend(loc="upper left", title="linear terms" if not power else "squares")
        both[0].set_ylabel(r"coefficient of $|M|^2$ / Standard Model")
        figure.tight_layout()
        figure.savefig(path, dpi=100)
        plt.close(figure)


if __name__ == "__main__":
    draw(Path(__file__).parent / "explanation" / "wz_growth.png")
