"""A small UFO model for the tests: QCD with a light and a heavy quark, a Higgs boson, and three couplings of ttH.

Written from the Lagrangian

    L = L_QCD(u, t) - (y m_t/v) tbar [(1 + dkt) + i ktt gamma5] t H
        + g_s ctG (v + H) / (sqrt(2) Lambda^2) tbar sigma^{mu nu} T^A t G^A_{mu nu}

with D = d - i g_s T^A G^A, so that it is independent of the package's own amplitudes. Other than the serialized model
of the tests of matrix elements, it has all vertices of the last line, ttg, ttgg, ttgH and ttggH.
"""

from pathlib import Path

_PARTICLES = """
from object_library import all_particles, Particle
import parameters as Param
g = Particle(pdg_code=21, name="g", antiname="g", spin=3, color=8, mass=Param.ZERO, width=Param.ZERO,
             texname="g", antitexname="g", charge=0)
u = Particle(pdg_code=2, name="u", antiname="u~", spin=2, color=3, mass=Param.ZERO, width=Param.ZERO,
             texname="u", antitexname="u~", charge=2/3)
u__tilde__ = u.anti()
t = Particle(pdg_code=6, name="t", antiname="t~", spin=2, color=3, mass=Param.MT, width=Param.ZERO,
             texname="t", antitexname="t~", charge=2/3)
t__tilde__ = t.anti()
H = Particle(pdg_code=25, name="H", antiname="H", spin=1, color=1, mass=Param.MH, width=Param.ZERO,
             texname="H", antitexname="H", charge=0)
"""
_PARAMETERS = """
from object_library import all_parameters, Parameter
ZERO = Parameter(name="ZERO", nature="internal", type="real", value="0.0", texname="0")
def _external(name, value, block, code):
    return Parameter(name=name, nature="external", type="real", value=value, texname=name, lhablock=block,
                     lhacode=[code])
aS = _external("aS", 0.118, "SMINPUTS", 3)
Gf = _external("Gf", 1.16638e-5, "SMINPUTS", 2)
MT = _external("MT", 172.5, "MASS", 6)
MH = _external("MH", 125.0, "MASS", 25)
ymt = _external("ymt", 172.5, "YUKAWA", 6)
Lambda = _external("Lambda", 1000.0, "CUTOFF", 1)
dkt = _external("dkt", 0.1, "EFT", 1)
ktt = _external("ktt", 0.1, "EFT", 2)
ctG = _external("ctG", 0.1, "EFT", 3)
G = Parameter(name="G", nature="internal", type="real", value="2*cmath.sqrt(aS)*cmath.sqrt(cmath.pi)", texname="G")
vev = Parameter(name="vev", nature="internal", type="real", value="1/cmath.sqrt(cmath.sqrt(2)*Gf)", texname="v")
"""
_ORDERS = """
from object_library import all_orders, CouplingOrder
QCD = CouplingOrder(name="QCD", expansion_order=99, hierarchy=1)
QED = CouplingOrder(name="QED", expansion_order=99, hierarchy=2)
NP = CouplingOrder(name="NP", expansion_order=99, hierarchy=1)
"""
_COUPLINGS = """
from object_library import all_couplings, Coupling
GAUGE = Coupling(name="GAUGE", value="complex(0,1)*G", order={"QCD": 1})
TRIPLE = Coupling(name="TRIPLE", value="-G", order={"QCD": 1})
QUARTIC = Coupling(name="QUARTIC", value="complex(0,1)*G**2", order={"QCD": 2})
YUKAWA = Coupling(name="YUKAWA", value="-complex(0,1)*ymt/vev", order={"QED": 1})
EVEN = Coupling(name="EVEN", value="-complex(0,1)*ymt/vev*dkt", order={"QED": 1, "NP": 1})
ODD = Coupling(name="ODD", value="ymt/vev*ktt", order={"QED": 1, "NP": 1})
# i L with G_mu(x) ~ exp(-ipx) is 2 C g_s sigma^{mu nu} p_mu eps_nu with p incoming, and -p for the outgoing P of UFO
DIPOLE = Coupling(name="DIPOLE", value="-2*G*ctG*vev/(cmath.sqrt(2)*Lambda**2)", order={"QCD": 1, "NP": 1})
DIPOLE_H = Coupling(name="DIPOLE_H", value="-2*G*ctG/(cmath.sqrt(2)*Lambda**2)",
                    order={"QCD": 1, "QED": 1, "NP": 1})
CONTACT = Coupling(name="CONTACT", value="2*complex(0,1)*G**2*ctG*vev/(cmath.sqrt(2)*Lambda**2)",
                   order={"QCD": 2, "NP": 1})
CONTACT_H = Coupling(name="CONTACT_H", value="2*complex(0,1)*G**2*ctG/(cmath.sqrt(2)*Lambda**2)",
                     order={"QCD": 2, "QED": 1, "NP": 1})
"""
_LORENTZ = """
from object_library import all_lorentz, Lorentz
FFV = Lorentz(name="FFV", spins=[2, 2, 3], structure="Gamma(3,2,1)")
VVV = Lorentz(name="VVV", spins=[3, 3, 3], structure="P(3,1)*Metric(1,2) - P(3,2)*Metric(1,2) - P(2,1)*Metric(1,3) "
              "+ P(2,3)*Metric(1,3) + P(1,2)*Metric(2,3) - P(1,3)*Metric(2,3)")
V4A = Lorentz(name="V4A", spins=[3, 3, 3, 3], structure="Metric(1,4)*Metric(2,3) - Metric(1,3)*Metric(2,4)")
V4B = Lorentz(name="V4B", spins=[3, 3, 3, 3], structure="Metric(1,4)*Metric(2,3) - Metric(1,2)*Metric(3,4)")
V4C = Lorentz(name="V4C", spins=[3, 3, 3, 3], structure="Metric(1,3)*Metric(2,4) - Metric(1,2)*Metric(3,4)")
FFS = Lorentz(name="FFS", spins=[2, 2, 1], structure="Identity(2,1)")
FFP = Lorentz(name="FFP", spins=[2, 2, 1], structure="Gamma5(2,1)")
FFVD = Lorentz(name="FFVD", spins=[2, 2, 3], structure="P(-1,3)*Sigma(-1,3,2,1)")
FFVSD = Lorentz(name="FFVSD", spins=[2, 2, 3, 1], structure="P(-1,3)*Sigma(-1,3,2,1)")
FFVV = Lorentz(name="FFVV", spins=[2, 2, 3, 3], structure="Sigma(3,4,2,1)")
FFVVS = Lorentz(name="FFVVS", spins=[2, 2, 3, 3, 1], structure="Sigma(3,4,2,1)")
"""
_VERTICES = """
from object_library import all_vertices, Vertex
import particles as P
import couplings as C
import lorentz as L
V_1 = Vertex(name="V_1", particles=[P.g, P.g, P.g], color=["f(1,2,3)"], lorentz=[L.VVV], couplings={(0, 0): C.TRIPLE})
V_2 = Vertex(name="V_2", particles=[P.g, P.g, P.g, P.g],
             color=["f(-1,1,2)*f(3,4,-1)", "f(-1,1,3)*f(2,4,-1)", "f(-1,1,4)*f(2,3,-1)"],
             lorentz=[L.V4A, L.V4B, L.V4C],
             couplings={(0, 0): C.QUARTIC, (1, 1): C.QUARTIC, (2, 2): C.QUARTIC})
V_3 = Vertex(name="V_3", particles=[P.u__tilde__, P.u, P.g], color=["T(3,2,1)"], lorentz=[L.FFV],
             couplings={(0, 0): C.GAUGE})
V_4 = Vertex(name="V_4", particles=[P.t__tilde__, P.t, P.g], color=["T(3,2,1)"], lorentz=[L.FFV, L.FFVD],
             couplings={(0, 0): C.GAUGE, (0, 1): C.DIPOLE})
V_5 = Vertex(name="V_5", particles=[P.t__tilde__, P.t, P.H], color=["Identity(1,2)"], lorentz=[L.FFS, L.FFP],
             couplings={(0, 0): C.YUKAWA, (0, 1): C.ODD})
V_6 = Vertex(name="V_6", particles=[P.t__tilde__, P.t, P.H], color=["Identity(1,2)"], lorentz=[L.FFS],
             couplings={(0, 0): C.EVEN})
V_7 = Vertex(name="V_7", particles=[P.t__tilde__, P.t, P.g, P.H], color=["T(3,2,1)"], lorentz=[L.FFVSD],
             couplings={(0, 0): C.DIPOLE_H})
V_8 = Vertex(name="V_8", particles=[P.t__tilde__, P.t, P.g, P.g], color=["f(-1,3,4)*T(-1,2,1)"], lorentz=[L.FFVV],
             couplings={(0, 0): C.CONTACT})
V_9 = Vertex(name="V_9", particles=[P.t__tilde__, P.t, P.g, P.g, P.H], color=["f(-1,3,4)*T(-1,2,1)"], lorentz=[L.FFVVS],
             couplings={(0, 0): C.CONTACT_H})
"""
_FILES = {
    "particles": _PARTICLES,
    "parameters": _PARAMETERS,
    "coupling_orders": _ORDERS,
    "couplings": _COUPLINGS,
    "lorentz": _LORENTZ,
    "vertices": _VERTICES,
}


def write_ufo_model(folder: Path, **changed: str) -> Path:
    """Write the model to `folder` and return it; `changed` replaces the text of files."""
    folder.mkdir(parents=True)
    for name, text in {**_FILES, **changed}.items():
        (folder / f"{name}.py").write_text(text.lstrip(), encoding="utf-8")
    return folder
