"""Write the sample of the tutorial `your_own_sample.md`: ``python make_your_own_sample.py FILE [EVENTS]``.

Toy events q q̄ → H γ. The weight of an event at θ = (a, b) is σ [(1 + a A + b B)² + (a/20)²] with functions A and B of
its polar angle, azimuth and momentum; their mean is the cross section.
"""

import math
import random
import sys
from pathlib import Path

POINTS = {"sm": (0, 0), "a1": (1, 0), "a2": (-1, 0), "b1": (0, 1), "b2": (0, -1), "ab": (1, 1)}
CROSS_SECTION = 2.0  # pb
HIGGS_MASS = 125.0


def header() -> str:
    """Declare the weights with their θ, the beams and the cross section."""
    weights = "".join(f'<weight id="{name}">cHW={a} cHB={b}</weight>\n' for name, (a, b) in POINTS.items())
    return (
        '<LesHouchesEvents version="3.0">\n<header>\n<initrwgt>\n<weightgroup name="scan">\n'
        f"{weights}</weightgroup>\n</initrwgt>\n</header>\n"
        f"<init>\n2212 2212 6500. 6500. 0 0 0 0 3 1\n{CROSS_SECTION} 0.01 1.0 1\n</init>\n"
    )


def event(random_numbers: random.Random) -> str:
    """Return an event with its weights."""
    cos_theta, phi = random_numbers.uniform(-1, 1), random_numbers.uniform(-math.pi, math.pi)
    momentum = random_numbers.expovariate(1 / 60) + 30.0
    sin_theta = math.sqrt(1 - cos_theta**2)
    px, py, pz = momentum * sin_theta * math.cos(phi), momentum * sin_theta * math.sin(phi), momentum * cos_theta
    energy = math.hypot(momentum, HIGGS_MASS)
    half = 0.5 * (energy + momentum)
    of_a, of_b = 0.2 * cos_theta + 0.002 * (momentum - 90.0), 0.15 * math.cos(phi)
    weights = {
        name: CROSS_SECTION * ((1 + a * of_a + b * of_b) ** 2 + (a / 20) ** 2) for name, (a, b) in POINTS.items()
    }
    lines = [
        "<event>",
        f"4 1 {weights['sm']:.8e} 91.0 0.0078 0.118",
        f"2 -1 0 0 501 0 0. 0. {half:.10e} {half:.10e} 0. 0. 9.",
        f"-2 -1 0 0 0 501 0. 0. {-half:.10e} {half:.10e} 0. 0. 9.",
        f"25 1 1 2 0 0 {px:.10e} {py:.10e} {pz:.10e} {energy:.10e} {HIGGS_MASS} 0. 9.",
        f"22 1 1 2 0 0 {-px:.10e} {-py:.10e} {-pz:.10e} {momentum:.10e} 0. 0. 9.",
        "<rwgt>",
        *(f'<wgt id="{name}">{weight:.10e}</wgt>' for name, weight in weights.items()),
        "</rwgt>",
        "</event>",
    ]
    return "\n".join(lines) + "\n"


def main(path: str, events: str = "4000") -> None:
    """Write the file."""
    random_numbers = random.Random(5)
    body = "".join(event(random_numbers) for _ in range(int(events)))
    Path(path).write_text(header() + body + "</LesHouchesEvents>\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
