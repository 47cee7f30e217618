"""Write the sample of `gaussian_toy.yaml`: ``python examples/make_gaussian_toy.py FILE [EVENTS] [ALPHA]``.

The toy of arXiv:2410.07315: z ~ [N(0, 1) + θ² N(α, 0.1)]/(1 + θ²) at parton level, x = z + N(0, 0.7) observed, drawn at
θ = 0.5. In the file z is the momentum of a Z along the beam and x that of a photon, both in units of 100 GeV (their
transverse momentum means nothing); the weights at θ = −1, 0, 1 tell the dependence on θ, and the cross section is
1 + θ² pb.
"""

import math
import random
import sys
from pathlib import Path

POINTS = {"minus": -1.0, "zero": 0.0, "plus": 1.0}
GENERATED_AT = 0.5
WIDTH, SMEARING, UNIT, RECOIL, Z_MASS = 0.1, 0.7, 100.0, 50.0, 91.1876


def density(z: float, theta: float, alpha: float) -> float:
    """Return dσ/dz in pb."""
    constant = math.exp(-0.5 * z * z)
    square = math.exp(-0.5 * ((z - alpha) / WIDTH) ** 2) / WIDTH
    return (constant + theta**2 * square) / math.sqrt(2 * math.pi)


def event(numbers: random.Random, alpha: float) -> str:
    """Return an event with its weights."""
    sigma = 1 + GENERATED_AT**2
    is_square = numbers.random() < GENERATED_AT**2 / sigma
    z = numbers.gauss(alpha, WIDTH) if is_square else numbers.gauss(0, 1)
    x = z + numbers.gauss(0, SMEARING)
    energies = math.hypot(UNIT * z, RECOIL, Z_MASS), math.hypot(UNIT * x, RECOIL)
    total, along = sum(energies), UNIT * (z + x)
    first, second = 0.5 * (total + along), 0.5 * (total - along)
    here = density(z, GENERATED_AT, alpha)
    weights = {name: sigma * density(z, theta, alpha) / here for name, theta in POINTS.items()}
    lines = [
        "<event>",
        f"4 1 {sigma:.17g} 91.0 0.0078 0.118",
        f"2 -1 0 0 501 0 0. 0. {first:.10e} {first:.10e} 0. 0. 9.",
        f"-2 -1 0 0 0 501 0. 0. {-second:.10e} {second:.10e} 0. 0. 9.",
        f"23 1 1 2 0 0 {RECOIL} 0. {UNIT * z:.10e} {energies[0]:.10e} {Z_MASS} 0. 9.",
        f"22 1 1 2 0 0 {-RECOIL} 0. {UNIT * x:.10e} {energies[1]:.10e} 0. 0. 9.",
        "<rwgt>",
        *(f'<wgt id="{name}">{weight:.17g}</wgt>' for name, weight in weights.items()),
        "</rwgt>",
        "</event>",
    ]
    return "\n".join(lines) + "\n"


def main(path: str, events: str = "60000", alpha: str = "1.5") -> None:
    """Write the file."""
    numbers = random.Random(5)
    groups = "".join(f'<weight id="{name}">theta={theta}</weight>\n' for name, theta in POINTS.items())
    sigma = 1 + GENERATED_AT**2
    with Path(path).open("w", encoding="utf-8") as file:
        file.write(f'<LesHouchesEvents version="3.0">\n<header>\n<initrwgt>\n<weightgroup name="scan">\n{groups}')
        file.write("</weightgroup>\n</initrwgt>\n</header>\n<init>\n2212 2212 6500. 6500. 0 0 0 0 3 1\n")
        file.write(f"{sigma} 0.01 {sigma} 1\n</init>\n")
        file.writelines(event(numbers, float(alpha)) for _ in range(int(events)))
        file.write("</LesHouchesEvents>\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
