"""What processes with a top pair share: choices of decays with their selection, and observables of the pair."""

from typing import TYPE_CHECKING, Any, Final

from partonic.processes.definition import PartonObservable

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TOP_PAIR_CHANNELS", "decayed_pair_observables", "top_pair_observables"]

TOP_PAIR_CHANNELS: Final[dict[str, dict[str, Any]]] = {
    "semileptonic": {
        "decays": {"tops": "semileptonic", "leptons": ["e", "mu"]},
        "selection": {"leptons": 1, "lepton_pt_min": 29.0, "jets_min": 4, "b_tags_min": 3},
    },
    "dilepton": {
        "decays": {"tops": "dilepton", "leptons": ["e", "mu"]},
        "selection": {
            "leptons": 2, "lepton_pt_min": 15.0, "leading_lepton_pt_min": 25.0, "veto_pt_min": 15.0,
            "opposite_charges": True, "jets_min": 3, "b_tags_min": 3,
        },
    },
    "all_hadronic": {
        "decays": {"tops": "all_hadronic"},
        "selection": {"leptons": 0, "jets_min": 7, "b_tags_min": 4},
    },
    "inclusive": {
        "decays": {"tops": "inclusive"},
        "selection": {"leptons": 1, "lepton_pt_min": 29.0, "jets_min": 4, "b_tags_min": 2},
    },
}  # fmt: skip
"""Decays of the top pair, and the cuts that go with them."""

_PAIR = r"\mathrm{t}\overline{\mathrm{t}}"


def top_pair_observables(top: int, antitop: int) -> tuple[PartonObservable, ...]:
    """Return mass, azimuth and rapidity differences and b₄ of the pair.

    b₄ = p_z p̄_z/(|p||p̄|) is sensitive to the CP nature of the Yukawa coupling (arXiv:hep-ph/9602226).

    Args:
        top: place of t in the final state.
        antitop: place of t̄.
    """
    import math

    from partonic.physics.fourvector import mass
    from partonic.physics.kinematics import azimuth, delta_phi, rapidity

    def pair_mass(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return mass(momenta[:, top] + momenta[:, antitop])

    def azimuths(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return delta_phi(azimuth(momenta[:, top]), azimuth(momenta[:, antitop])).abs()

    def rapidities(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return (rapidity(momenta[:, top]) - rapidity(momenta[:, antitop])).abs()

    def beam_cosines(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        pair = momenta[:, [top, antitop]]
        cosines: Tensor = pair[..., 3] / pair[..., 1:].norm(dim=-1)
        return cosines.prod(dim=1)

    return (
        PartonObservable("mass_ttbar", rf"$m({_PAIR})$", (25, 300.0, 1300.0), pair_mass, "GeV", logarithmic=True),
        PartonObservable("delta_phi_ttbar", rf"$|\Delta\phi({_PAIR})|$", (20, 0.0, math.pi), azimuths, "rad"),
        PartonObservable("delta_y_ttbar", rf"$|\Delta y({_PAIR})|$", (20, 0.0, 4.0), rapidities),
        PartonObservable("b4_ttbar", rf"$b_4({_PAIR})$", (20, -1.0, 1.0), beam_cosines),
    )


def decayed_pair_observables() -> tuple[PartonObservable, ...]:
    """Return the observables of the pair in H t t̄ with decayed tops, and those of the correlation of their spins.

    The charged lepton or down-type quark of each W flies along the spin of its top (of t̄: against it). cos θ is that to
    the direction of its top in the rest frame of the pair, seen from the top (helicity basis: arXiv:hep-ph/0408158).
    Δφ is that of both about the line of flight of the tops; its sign is a triple product, odd under CP.
    """
    import math

    from partonic.processes.decayed_observables import of_produced, pair_spin_angles

    def products(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        first, second, _ = pair_spin_angles(momenta)
        return first * second

    def azimuths(momenta: "Tensor", pdg: "Tensor") -> "Tensor":
        return pair_spin_angles(momenta)[2]

    return (
        *of_produced(top_pair_observables(top=1, antitop=2), tops=(1, 2)),
        PartonObservable("cos_cos_down", r"$\cos\theta_+\cos\theta_-(\ell/\mathrm{d})$", (20, -1.0, 1.0), products),
        PartonObservable(
            "delta_phi_down", r"$\Delta\phi_\pm(\ell/\mathrm{d})$", (20, -math.pi, math.pi), azimuths, "rad"
        ),
    )
