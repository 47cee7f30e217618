"""Draw docs/explanation/thq_alpha.png from what benchmarks/cp_angle.py prints: the CP angle of tHq by all methods.

python benchmarks/cp_angle.py --store ... --coefficients ... > cp_angle.json
python docs/draw_cp_angle.py cp_angle.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from partonic.plots.style import PALETTE, REFERENCE_COLOUR, figure_style

TRUTH = "parton truth"
SHOWN = 45.0


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw expected likelihoods around the circle at one angle, and mean estimates against the truth."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    with figure_style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(11.0, 5.0))
        draw_likelihoods(left, next(each for each in found["expected"] if each["alpha"] == SHOWN))
        draw_estimates(right, found["calibration_curve"], found["pseudo_experiments"][0]["events"])
        figure.tight_layout()
        figure.savefig(path, dpi=100)
        plt.close(figure)


def draw_likelihoods(axes: Any, point: dict[str, Any]) -> None:
    """Draw √q of the shape, a significance, against α for each method."""
    curves = {name: each["curve"] for name, each in point["methods"].items() if "curve" in each}
    colours = iter(PALETTE)
    for name, curve in curves.items():
        style = {"color": REFERENCE_COLOUR, "linestyle": "--"} if name == TRUTH else {"color": next(colours)}
        root = np.sqrt(np.maximum(curve["q"], 0.0))
        axes.plot(curve["alpha"], root, label=name.replace(", and", ",\nand"), **style)
    for level, text in ((1.0, "68%"), (1.96, "95%")):
        axes.axhline(level, color="0.6", linestyle=":", linewidth=1.0)
        axes.text(-176.0, level, text, color="0.4", va="bottom", fontsize=9)
    axes.set_xlim(-180.0, 180.0)
    axes.set_ylim(0.0, 28.0)
    axes.set_xlabel(r"$\alpha$ [degrees]")
    axes.set_ylabel(rf"expected $\sqrt{{q}}$, {point['events']} events at $\alpha = {point['alpha']:.0f}°$")
    axes.legend(loc="upper left", fontsize=9)


def draw_estimates(axes: Any, curve: list[dict[str, float]], events: int) -> None:
    """Draw mean estimates minus the truth, with the errors from the number of experiments and from the pool."""
    alpha, mean, error, pool, spread = (
        np.array([each[name] for each in curve]) for name in ("alpha", "mean", "error", "pool_error", "spread")
    )
    axes.axhline(0.0, color="0.6", linewidth=1.0)
    axes.fill_between(alpha, -spread, spread, color="0.88", label="spread of single experiments")
    axes.errorbar(alpha, mean - alpha, np.hypot(error, pool), fmt="o", color=PALETTE[0], label="mean of experiments")
    axes.set_xlim(-180.0, 190.0)
    axes.set_ylim(-45.0, 45.0)
    axes.set_xlabel(r"$\alpha$ [degrees]")
    axes.set_ylabel(rf"$\langle\hat\alpha\rangle - \alpha$ [degrees], {events} events")
    axes.legend(loc="upper left")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("give the file with the line that benchmarks/cp_angle.py printed")
    content = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    draw(content, Path(__file__).parent / "explanation" / "thq_alpha.png")
