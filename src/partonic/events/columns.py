"""The columns of the event store: name, type, unit and meaning, group by group.

One row is one event; rejected events stay, because the acceptance needs their partons. Four-vectors are
(E, px, py, pz). Columns that a source cannot fill are null there. The reference page of the documentation is made from
this list.
"""

from dataclasses import dataclass, replace

import pyarrow as pa

from partonic.polynomial import Monomials

__all__ = ["GROUPS", "IDENTITY", "PARTON_PDG", "PHOTONS", "Column", "event_columns", "weight_column"]

GROUPS = ("event", "identity", "hard process", "with_isr", "decays", "selection", "jets", "leptons", "photons", "met")
"""Groups of columns, in the order of the file."""

_FLOATS = pa.list_(pa.float32())
_FLAGS = pa.list_(pa.bool_())
_SMALL = pa.list_(pa.int8())


@dataclass(frozen=True)
class Column:
    """One column of the event store.

    Attributes:
        name: as in the file.
        type: Arrow type.
        unit: ``"GeV"``, ``"pb"``, ``"rad"`` or ``""`` for a pure number.
        group: one of `GROUPS`.
        description: one sentence.
        nullable: whether events may lack it.
    """

    name: str
    type: pa.DataType
    unit: str
    group: str
    description: str
    nullable: bool = True

    def field(self) -> pa.Field:
        """Return the Arrow field, with unit, group and description as its metadata."""
        facts = {"unit": self.unit, "group": self.group, "description": self.description}
        return pa.field(self.name, self.type, nullable=self.nullable, metadata=facts)


def weight_column(name: str) -> str:
    """Return the column that holds the extra weight `name`."""
    return f"weight_{name}"


IDENTITY = (
    Column("run", pa.int64(), "", "identity", "Run number of the experiment or simulation."),
    Column("luminosity_block", pa.int64(), "", "identity", "Luminosity block of the run."),
    Column(
        "event_number", pa.int64(), "", "identity", "Number of the event in its run and block, as the source has it."
    ),
)
"""Columns that only a store of imported events has, if its files number their events."""


PARTON_PDG = Column(
    "parton_pdg",
    pa.list_(pa.int32()),
    "",
    "hard process",
    "PDG ids of `partons`, where the channels of the process differ in their final state; absent elsewhere.",
)
"""Column that only a store of a process with several final states has."""

PARTON_EVENT = Column(
    "parton_event", pa.int64(), "", "event", "Number of the parton event, the same in all its copies.", nullable=False
)
"""Column that only a store has in which parton events were simulated several times with fractions of their weights."""


def event_columns(
    partons: int,
    monomials: Monomials,
    weight_names: tuple[str, ...],
    *,
    identity: bool = False,
    final_states: bool = False,
    photons: bool = False,
    copies: bool = False,
) -> tuple[Column, ...]:
    """Return all columns of a store, in order.

    Args:
        partons: number n of final-state partons of the hard process.
        monomials: the A monomials of θ.
        weight_names: names of extra weights (scale, PDF, shower, ...).
        identity: whether the events have the columns `IDENTITY`.
        final_states: whether channels differ in their final state, so that events have the column `PARTON_PDG`.
        photons: whether the events have the columns `PHOTONS`.
        copies: whether events are copies of parton events, so that they have the column `PARTON_EVENT`.
    """
    return (
        *_event(monomials, weight_names),
        *((PARTON_EVENT,) if copies else ()),
        *(IDENTITY if identity else ()),
        *_hard_process(partons),
        *((replace(PARTON_PDG, type=_vector(partons, pa.int32())),) if final_states else ()),
        *_WITH_ISR,
        *_DECAYS,
        *_SELECTION,
        *_JETS,
        *_LEPTONS,
        *(PHOTONS if photons else ()),
        *_MET,
    )


def _vector(length: int, value: pa.DataType) -> pa.DataType:
    return pa.list_(value, length)


def _event(monomials: Monomials, weight_names: tuple[str, ...]) -> tuple[Column, ...]:
    names = ", ".join(monomials.names)
    extra = tuple(
        Column(weight_column(name), pa.float64(), "pb", "event", f"Event weight of the variation `{name}`.")
        for name in weight_names
    )
    return (
        Column("event_id", pa.int64(), "", "event", "Number of the event in its source, from 0.", nullable=False),
        Column("weight", pa.float64(), "pb", "event", "Weight at the generation θ; all rows sum to σ.", nullable=False),
        Column(
            "coefficients",
            _vector(len(monomials), pa.float64()),
            "pb",
            "event",
            f"Coefficients c_a of the weight in the monomials of θ ({names}).",
            nullable=False,
        ),
        *extra,
    )


def _hard_process(partons: int) -> tuple[Column, ...]:
    group = "hard process"
    momenta = "Final-state momenta (E, px, py, pz), laboratory, in the order of the process."
    return (
        Column("initial_pdg", _vector(2, pa.int32()), "", group, "PDG ids of the partons along +z and −z."),
        Column("channel", pa.int16(), "", group, "Index of the partonic channel of the process."),
        Column("colour_flow", pa.int8(), "", group, "Index of the colour flow drawn for the shower."),
        Column("scale", pa.float64(), "GeV", group, "Factorisation scale μ_F, also the starting scale of the shower."),
        Column("alpha_s", pa.float64(), "", group, "Strong coupling at the renormalisation scale μ_R of the event."),
        Column("x1", pa.float64(), "", group, "Momentum fraction of the parton along +z."),
        Column("x2", pa.float64(), "", group, "Momentum fraction of the parton along −z."),
        Column("partons", _vector(4 * partons, pa.float64()), "GeV", group, momenta),
    )


_WITH_ISR = (
    Column(
        "isr_partons",
        _vector(16, pa.float64()),
        "GeV",
        "with_isr",
        "H, t_had, t_lep and one massless balancing parton (E, px, py, pz) after initial-state radiation.",
    ),
    Column("isr_x1", pa.float64(), "", "with_isr", "Momentum fraction along +z of that view."),
    Column("isr_x2", pa.float64(), "", "with_isr", "Momentum fraction along −z of that view."),
)

_DECAYS = (
    Column("hadronic_top", pa.int8(), "", "decays", "+6 or −6: the only hadronically decaying top; 0 otherwise."),
    Column(
        "decay_partons",
        pa.list_(pa.float64()),
        "GeV",
        "decays",
        "Decay quarks and leptons before the parton shower, flattened (E, px, py, pz); all final-state particles when "
        "the source names no resonances.",
    ),
    Column("decay_pdg", pa.list_(pa.int32()), "", "decays", "PDG ids of `decay_partons`."),
    Column(
        "decay_origin",
        _SMALL,
        "",
        "decays",
        "PDG id of the resonance of the process that each one comes from; 0 for none.",
    ),
)

_SELECTION = (
    Column("selected", pa.bool_(), "", "selection", "Passed all cuts; null where no selection applies (parton level)."),
    Column("cut", pa.int8(), "", "selection", "Number of the first cut failed, from 0; −1 if none."),
)

_JETS = (
    Column("jet_pt", _FLOATS, "GeV", "jets", "Transverse momenta of the jets, descending; null for rejected events."),
    Column("jet_eta", _FLOATS, "", "jets", "Pseudorapidities."),
    Column("jet_phi", _FLOATS, "rad", "jets", "Azimuths in (−π, π]."),
    Column("jet_mass", _FLOATS, "GeV", "jets", "Masses."),
    Column("jet_btag", _FLOATS, "", "jets", "b-tag discriminator; 0 or 1 for the embedded response."),
    Column("jet_tagged", _FLAGS, "", "jets", "Passes the b-tag working point."),
    Column("jet_flavour", _SMALL, "", "jets", "True flavour: 5, 4, or 0 for light quarks, gluons and unknown."),
    Column(
        "jet_provenance",
        _SMALL,
        "",
        "jets",
        "ΔR match: with a top pair 1 from H, 2 t_had, 3 t_lep; else the resonance, in their order; 0 none.",
    ),
    Column("jet_match", _SMALL, "", "jets", "Index of the matched parton in `decay_partons`, −1 for none."),
    Column("jet_true_pt", _FLOATS, "GeV", "jets", "pT of the nearest particle-level jet within ΔR < 0.4; NaN if none."),
)

_LEPTONS = (
    Column("lepton_pt", _FLOATS, "GeV", "leptons", "Transverse momenta of electrons and muons, descending."),
    Column("lepton_eta", _FLOATS, "", "leptons", "Pseudorapidities."),
    Column("lepton_phi", _FLOATS, "rad", "leptons", "Azimuths in (−π, π]."),
    Column("lepton_mass", _FLOATS, "GeV", "leptons", "Masses."),
    Column("lepton_pdg", pa.list_(pa.int32()), "", "leptons", "PDG ids: ±11, ±13."),
    Column("lepton_isolation", _FLOATS, "", "leptons", "Relative isolation."),
)

PHOTONS = (
    Column("photon_pt", _FLOATS, "GeV", "photons", "Transverse momenta of isolated photons, descending."),
    Column("photon_eta", _FLOATS, "", "photons", "Pseudorapidities."),
    Column("photon_phi", _FLOATS, "rad", "photons", "Azimuths in (−π, π]."),
    Column("photon_isolation", _FLOATS, "", "photons", "Relative isolation; null where the source has none."),
    Column(
        "photon_identification", _SMALL, "", "photons",
        "Identification as the source has it: of NanoAOD `cutBased` (1 loose, 2 medium, 3 tight) or 1 for a passed "
        "MVA; 1 for the embedded response; null where the source has none.",
    ),
)  # fmt: skip
"""Columns that a store has whose sample asks for photons, or whose files have them; not part of fingerprints."""

_MET = (
    Column("met_pt", pa.float32(), "GeV", "met", "Missing transverse momentum."),
    Column("met_phi", pa.float32(), "rad", "met", "Its azimuth in (−π, π]."),
)
