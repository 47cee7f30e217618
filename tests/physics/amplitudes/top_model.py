"""A small serialized model for the tests: QCD with one light and one heavy quark, a Higgs boson, and three couplings.

Written here from the Lagrangian, so that it is independent of the package's own amplitudes:

    L = L_QCD(u, t) - (y m_t/v) tbar t H
        - (y m_t/v) tbar [delta_kappa_t + i kappa_tilde_t gamma5] t H
        + g_s c_tG (v + H) / (sqrt(2) Lambda^2) tbar sigma^{mu nu} T^A t G^A_{mu nu},     Lambda = 1 TeV,

with D = d - i g_s T^A G^A, v = (sqrt(2) G_F)^(-1/2), and the coupling order NP counting the last two lines. The
generator has no coloured contact terms of quarks, gluons and Higgs bosons, so the ttgH one is a chain through a static
fermion s, and the ttgg ones of the last line are left out: q qbar -> t tbar H does not need them, g g -> t tbar H does.
The model has few vertices, so the generator needs seconds for what takes it a minute with the whole Standard Model.
"""

import json
from pathlib import Path

_I = "1𝑖"
_U = "UFO::{}::"

Record = dict[str, object]


def _external(name: str, value: float, block: str, code: int) -> Record:
    place = {"lhablock": block, "lhacode": [code]}
    return {
        "name": name,
        "nature": "external",
        "parameter_type": "real",
        "value": [value, 0.0],
        "expression": None,
    } | place


def _internal(name: str, expression: str | None, value: float) -> Record:
    place = {"lhablock": None, "lhacode": None, "expression": expression}
    return {"name": name, "nature": "internal", "parameter_type": "real", "value": [value, 0.0]} | place


def _particle(name: str, anti: str, pdg: int, spin: int, colour: int, **options: object) -> Record:
    numbers = {"pdg_code": pdg, "spin": spin, "color": colour, "charge": 0.0, "ghost_number": 0, "lepton_number": 0}
    names = {"name": name, "antiname": anti, "texname": name, "antitexname": anti, "mass": "ZERO", "width": "ZERO"}
    rest = {"propagating": True, "goldstoneboson": False, "y_charge": 0, "propagator": f"{name}_propFeynman"}
    return names | numbers | rest | options


def _quark(name: str, pdg: int, **options: object) -> list[Record]:
    charge = 2.0 / 3.0
    return [
        _particle(name, f"{name}~", pdg, 2, 3, charge=charge, **options),
        _particle(f"{name}~", name, -pdg, 2, -3, charge=-charge, **options),
    ]


def _propagator(particle: str, mass: str, numerator: str) -> Record:
    denominator = f"({_U}P(1))^2" if mass == "ZERO" else f"({_U}P(1))^2+-1*{_U}{mass}^2"
    return {"name": f"{particle}_propFeynman", "particle": particle, "numerator": numerator, "denominator": denominator}


def _quark_propagators(name: str, mass: str) -> list[Record]:
    """Propagators of the particle and, with the opposite flow of charge, of the antiparticle."""
    slash = {name: f"{_U}PSlash(2,1)", f"{name}~": f"-1*{_U}PSlash(1,2)"}
    unit = {name: f"{_U}Identity(2,1)", f"{name}~": f"{_U}Identity(1,2)"}
    massive = {leg: f"({unit[leg]}*{_U}{mass}+{slash[leg]})*{_I}" for leg in slash}
    massless = {leg: f"{_I}*{slash[leg]}" for leg in slash}
    return [_propagator(leg, mass, (massless if mass == "ZERO" else massive)[leg]) for leg in slash]


def _static_propagators() -> list[Record]:
    common = {"denominator": "1"}
    return [
        {"name": f"{leg}_propFeynman", "particle": leg, "numerator": f"{_I}*{_U}Identity({order})"} | common
        for leg, order in (("s", "2,1"), ("s~", "1,2"))
    ]


def _coupling(name: str, expression: str, **orders: int) -> Record:
    return {
        "name": name,
        "expression": expression,
        "orders": [list(item) for item in orders.items()],
        "value": [0.1, 0.1],
    }


def _lorentz(name: str, spins: list[int], structure: str) -> Record:
    return {"name": name, "spins": spins, "structure": structure}


def _vertex(name: str, particles: str, colour: str, lorentz: str, coupling: str) -> Record:
    shape = {"color_structures": [colour], "lorentz_structures": [lorentz], "couplings": [[coupling]]}
    return {"name": name, "particles": particles.split()} | shape


def _metric_difference(a: str, b: str, c: str, d: str) -> str:
    return f"{_U}Metric({a})*{_U}Metric({b})+-1*{_U}Metric({c})*{_U}Metric({d})"


def _lorentz_structures() -> list[Record]:
    triple = "+".join(
        f"{_U}Metric({a},{b})*{_U}P({c},{a})+-1*{_U}Metric({a},{b})*{_U}P({c},{b})"
        for a, b, c in [(1, 2, 3), (2, 3, 1), (3, 1, 2)]
    )
    # f^{12e} f^{34e} comes with g13 g24 - g14 g23, and so on
    quartic = {
        "12": ("1,3", "2,4", "1,4", "2,3"),
        "13": ("1,2", "3,4", "1,4", "2,3"),
        "14": ("1,2", "3,4", "1,3", "2,4"),
    }
    return [
        _lorentz("FFV", [2, 2, 3], f"{_U}Gamma(3,2,1)"),
        _lorentz("VVV", [3, 3, 3], triple),
        *(_lorentz(f"VVVV{pair}", [3] * 4, _metric_difference(*indices)) for pair, indices in quartic.items()),
        _lorentz("FFS", [2, 2, 1], f"{_U}Identity(2,1)"),
        _lorentz("FFP", [2, 2, 1], f"{_U}ProjP(2,1)+-1*{_U}ProjM(2,1)"),
        # sigma^{mu nu} p_mu = i (pslash gamma^nu - p^nu): two structures, since the generator hangs on their sum
        _lorentz("FFVchain", [2, 2, 3], f"{_U}Gamma(-1,2,-2)*{_U}Gamma(3,-2,1)*{_U}P(-1,3)"),
        _lorentz("FFVtrace", [2, 2, 3], f"{_U}P(3,3)*{_U}Identity(2,1)"),
    ]


def _vertices() -> list[Record]:
    octet, singlet = f"{_U}T(3,2,1)", f"{_U}Identity(1,2)"
    colours = {"12": ("1,2", "3,4"), "13": ("1,3", "2,4"), "14": ("1,4", "2,3")}
    quartic = [
        _vertex(f"gggg{pair}", "g g g g", f"{_U}f(-1,{first})*{_U}f({second},-1)", f"VVVV{pair}", "QUARTIC")
        for pair, (first, second) in colours.items()
    ]
    return [
        _vertex("ggg", "g g g", f"{_U}f(1,2,3)", "VVV", "TRIPLE"),
        *quartic,
        _vertex("uug", "u~ u g", octet, "FFV", "GAUGE"),
        _vertex("ttg", "t~ t g", octet, "FFV", "GAUGE"),
        _vertex("ttH", "t~ t H", singlet, "FFS", "YUKAWA"),
        _vertex("ttH_even", "t~ t H", singlet, "FFS", "YUKAWA_EVEN"),
        _vertex("ttH_odd", "t~ t H", singlet, "FFP", "YUKAWA_ODD"),
        _vertex("ttg_chain", "t~ t g", octet, "FFVchain", "DIPOLE_CHAIN"),
        _vertex("ttg_trace", "t~ t g", octet, "FFVtrace", "DIPOLE_TRACE"),
        _vertex("tsg_chain", "t~ s g", octet, "FFVchain", "HIGGS_DIPOLE_CHAIN"),
        _vertex("tsg_trace", "t~ s g", octet, "FFVtrace", "HIGGS_DIPOLE_TRACE"),
        _vertex("stH", "s~ t H", singlet, "FFS", "STATIC"),
    ]


def _couplings() -> list[Record]:
    strong, yukawa = f"{_U}G", f"{_U}ymt*{_U}vev^(-1)"
    dipole = f"2^(1/2)*{_U}c_tG*{_U}Lambda^(-2)"  # 2 C / v with C = c_tG v / (sqrt(2) Lambda^2)
    return [
        _coupling("GAUGE", f"{_I}*{strong}", QCD=1),
        _coupling("TRIPLE", f"-1*{strong}", QCD=1),
        _coupling("QUARTIC", f"-1*{_I}*{strong}^2", QCD=2),
        _coupling("YUKAWA", f"-1*{_I}*{yukawa}", QED=1),
        _coupling("YUKAWA_EVEN", f"-1*{_I}*{yukawa}*{_U}delta_kappa_t", QED=1, NP=1),
        _coupling("YUKAWA_ODD", f"{yukawa}*{_U}kappa_tilde_t", QED=1, NP=1),
        # i L with G_mu(x) ~ exp(-ipx) is 2 C sigma^{mu nu} p_mu eps_nu = 2i C (pslash gamma^nu - p^nu) eps_nu
        _coupling("DIPOLE_CHAIN", f"{_I}*{strong}*{_U}vev*{dipole}", QCD=1, NP=1),
        _coupling("DIPOLE_TRACE", f"-1*{_I}*{strong}*{_U}vev*{dipole}", QCD=1, NP=1),
        # the same over v, through the propagator i of the static fermion
        _coupling("HIGGS_DIPOLE_CHAIN", f"{strong}*{dipole}", QCD=1, NP=1),
        _coupling("HIGGS_DIPOLE_TRACE", f"-1*{strong}*{dipole}", QCD=1, NP=1),
        _coupling("STATIC", "1", QED=1),
    ]


def _parameters() -> list[Record]:
    return [
        _external("aS", 0.118, "SMINPUTS", 3),
        _external("Gf", 1.16639e-5, "SMINPUTS", 2),
        _external("MT", 172.5, "MASS", 6),
        _external("ymt", 172.5, "YUKAWA", 6),
        _external("MH", 125.0, "MASS", 25),
        _external("Lambda", 1000.0, "EFT", 0),
        _external("delta_kappa_t", 0.1, "EFT", 1),
        _external("kappa_tilde_t", 0.1, "EFT", 2),
        _external("c_tG", 0.1, "EFT", 3),
        _internal("ZERO", None, 0.0),
        _internal("G", f"2*{_U}aS^(1/2)*𝜋^(1/2)", 1.2177157847767195),
        _internal("vev", f"(2^(1/2)*{_U}Gf)^(-1/2)", 246.21845810181625),
    ]


def top_model() -> Record:
    """Return the model in the serialized form that the generator reads."""
    higgs, gluon = _particle("H", "H", 25, 1, 1, mass="MH"), _particle("g", "g", 21, 3, 8)
    gluon_propagator = _propagator("g", "ZERO", f"-1*{_I}*{_U}Metric(1,2)")
    quark_propagators = [*_quark_propagators("u", "ZERO"), *_quark_propagators("t", "MT"), *_static_propagators()]
    orders = {"QCD": 1, "QED": 2, "NP": 1}
    return {
        "name": "top_model",
        "particles": [gluon, *_quark("u", 2), *_quark("t", 6, mass="MT"), *_quark("s", 9000001), higgs],
        "propagators": [gluon_propagator, _propagator("H", "MH", _I), *quark_propagators],
        "parameters": _parameters(),
        "couplings": _couplings(),
        "lorentz_structures": _lorentz_structures(),
        "vertex_rules": _vertices(),
        "orders": [{"name": name, "expansion_order": 99, "hierarchy": weight} for name, weight in orders.items()],
        "functions": [],
        "form_factors": [],
        "restriction": None,
    }


def write_top_model(path: Path) -> Path:
    """Write the model to `path` and return it."""
    path.write_text(json.dumps(top_model(), ensure_ascii=False), encoding="utf-8")
    return path
