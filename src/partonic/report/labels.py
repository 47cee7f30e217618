"""How particles and theory parameters are written in figures."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Final

from partonic.config.curves import CurveConfig
from partonic.events.schema import StoreMetadata
from partonic.physics.particles import HIGGS, TOP, W_BOSON, Z_BOSON
from partonic.processes.definition import TheoryParameter, parameter_labels, parameter_units

__all__ = [
    "axis_label", "curve_parameters", "labels_of", "monomial_label", "named", "parameter_label", "parameter_unit",
    "particle_label", "plain", "produced_particles", "unfolded_label", "with_unit",
]  # fmt: skip

_PARTICLES: Final[Mapping[int, str]] = {
    25: r"\mathrm{H}", 6: r"\mathrm{t}", -6: r"\overline{\mathrm{t}}", 5: r"\mathrm{b}",
    -5: r"\overline{\mathrm{b}}", 24: r"\mathrm{W}^{+}", -24: r"\mathrm{W}^{-}", 23: r"\mathrm{Z}",
    21: r"\mathrm{g}", 22: r"\gamma",
    **dict.fromkeys((11, 13, 15), r"\ell^{-}"), **{-flavour: r"\ell^{+}" for flavour in (11, 13, 15)},
    **dict.fromkeys((12, 14, 16), r"\nu"), **{-flavour: r"\overline{\nu}" for flavour in (12, 14, 16)},
}  # fmt: skip

_SYMBOLS: Final[Mapping[str, str]] = {
    r"\Delta": "Δ", r"\phi": "φ", r"\eta": "η", r"\kappa": "κ", r"\delta": "δ", r"\theta": "θ", r"\gamma": "γ",
    r"\ell": "ℓ", r"\nu": "ν",
}  # fmt: skip

_MASSES: Final[Mapping[int, float]] = {one.pdg_id: one.mass for one in (HIGGS, TOP, W_BOSON, Z_BOSON)}


def particle_label(pdg: int, name: str) -> str:
    """Return the symbol of a particle in matplotlib's mathematics, without dollar signs."""
    plain = name.replace("_", r"\_")
    return _PARTICLES.get(pdg, rf"\mathrm{{{plain}}}")


def produced_particles(metadata: StoreMetadata) -> tuple[tuple[str, float], ...]:
    """Return symbol and pole mass (GeV; 0 for all but H, t, W and Z) of what a process produces.

    Resonances that the matrix element decays stand for their products.
    """
    tree = metadata.process_info.decay_tree
    found: list[tuple[str, float]] = []
    for slot, (pdg, name) in enumerate(zip(metadata.parton_pdg, metadata.parton_names, strict=True)):
        mother = next((one for one in tree.of_matrix_element if slot in one.slots and one in tree.outermost), None)
        if mother is None:
            found.append((particle_label(pdg, name), _MASSES.get(abs(pdg), 0.0)))
        elif slot == mother.slots[0]:
            known = mother.pdg_ids[0] if len(mother.pdg_ids) == 1 else 0
            found.append((particle_label(known, mother.name), _MASSES.get(abs(mother.pdg_ids[0]), 0.0)))
    return tuple(found)


_own: ContextVar[Mapping[str, TheoryParameter]] = ContextVar("_own", default={})  # noqa: B039 - never changed

_GREEK: Final = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega",
)  # fmt: skip
"""Names that are written as the letter in figures."""


@contextlib.contextmanager
def labels_of(parameters: Sequence[TheoryParameter]) -> Iterator[None]:
    """Write parameters as the process of the analysis at hand does, which the user may have described."""
    token = _own.set({parameter.name: parameter for parameter in parameters})
    try:
        yield
    finally:
        _own.reset(token)


def curve_parameters(curves: Mapping[str, CurveConfig]) -> tuple[TheoryParameter, ...]:
    """Return the numbers that are fitted along curves, with their letter and, for an angle, its unit."""
    return tuple(
        TheoryParameter(
            name=name,
            label=_letter(name) or name.replace("_", " "),
            description=f"the number along the curve of {', '.join(curve.on_it())}",
            unit=curve.unit_text,
            standard_model=curve.nominal,
        )
        for name, curve in curves.items()
    )


def _letter(name: str) -> str | None:
    return rf"$\{name}$" if name in _GREEK else None


def _symbol(name: str) -> str | None:
    own = _own.get().get(name)
    return own.label if own else parameter_labels().get(name)


def parameter_label(name: str) -> str:
    """Return a theory parameter as written in legends."""
    return _symbol(name) or name.replace("_", " ")


def parameter_unit(name: str) -> str:
    """Return the unit of a theory parameter, e.g. ``"TeV⁻²"`` or ``"°"``; empty for a pure number."""
    own = _own.get().get(name)
    return own.unit if own else parameter_units().get(name, "")


def axis_label(name: str) -> str:
    """Return a theory parameter as written at an axis, with its unit in brackets."""
    unit = parameter_unit(name)
    return f"{parameter_label(name)} [{_in_mathematics(unit)}]" if unit else parameter_label(name)


def named(name: str) -> str:
    """Return a theory parameter as written in tables and text: its ASCII name, with its unit in brackets."""
    unit = parameter_unit(name)
    return f"{name} [{unit}]" if unit else name


def with_unit(name: str) -> str:
    """Return what follows a value of a theory parameter: its unit, if it is an angle; empty for others.

    Coefficients are stated without theirs where many stand in a row: the axes have it.
    """
    unit = parameter_unit(name)
    return {"°": "°", "rad": " rad"}.get(unit, "")


def _in_mathematics(unit: str) -> str:
    """Return a unit with its power in the mathematics of matplotlib, whose fonts lack some raised signs."""
    return re.sub(r"[⁻⁰¹²³⁴]+", lambda found: f"$^{{{found[0].translate(_RAISED)}}}$", unit)


_RAISED: Final = str.maketrans("⁻⁰¹²³⁴", "-01234")


def monomial_label(parameters: Sequence[str], powers: Sequence[int]) -> str:
    """Return a monomial of theory parameters as written in figures, ``"1"`` for the constant one."""
    factors = []
    for name, power in zip(parameters, powers, strict=True):
        known = _symbol(name)
        plain_name = name.replace("_", r"\_")
        symbol = known.strip("$") if known and known.startswith("$") else rf"\mathrm{{{plain_name}}}"
        factors += [symbol if power == 1 else f"{{{symbol}}}^{{{power}}}"] if power else []
    return "$" + r"\,".join(factors) + "$" if factors else "1"


def plain(label: str) -> str:
    r"""Return a label without mathematical markup, for captions, e.g. ``pT(H)`` for ``$p_\mathrm{T}$(H)``."""
    text = re.sub(r"\\overline\{\\mathrm\{(\w+)\}\}", "\\1\u0304", label)
    text = re.sub(r"\\(?:mathrm|tilde|overline)\{([^{}]*)\}", r"\1", text)
    for markup, symbol in _SYMBOLS.items():
        text = text.replace(markup, symbol)
    return re.sub(r"[${}_^]|\\[,;]", "", text.replace(r"\_", " "))


def unfolded_label(name: str) -> str:
    """Return a variable of the unfolding as written in figures, e.g. ``"pt H"``, ``"u3"`` or ``"sqrt_s"``."""
    if name in _UNFOLDED:
        return _UNFOLDED[name]
    if match := re.fullmatch(r"u(\d+)", name):
        return rf"$u_{{{match[1]}}}$"
    kind, _, particle = name.partition(" ")
    if kind in _UNFOLDED and particle in _UNFOLDED:
        return f"{_UNFOLDED[kind]}({_UNFOLDED[particle]})"
    return name


_UNFOLDED: Final[Mapping[str, str]] = {
    "H": "H", "t_had": r"$\mathrm{t_{had}}$", "t_lep": r"$\mathrm{t_{lep}}$", "pt": r"$p_\mathrm{T}$",
    "eta": r"$\eta$", "phi": r"$\phi$", "sqrt_s": r"$\sqrt{\hat{s}}$", "p_z": r"$p_z$",
}  # fmt: skip
