"""|M|² of d d̄ → H e⁻ e⁺ at a point, from independent programs."""

from partonic.processes.definition import MatrixElementCheck
from partonic.processes.zh.amplitude import zh_amplitude

__all__ = ["down_quarks"]

# ufoamp 1.0.0 and Sherpa 3.0.3 with the model SMEFTsim_U35_MwScheme; the Standard Model also from Sherpa's own one.
_MOMENTA = (
    (125.0, 0.0, 0.0, 125.0),
    (125.0, 0.0, 0.0, -125.0),
    (139.40007297248, -45.02001783936771, -37.91983791433997, -18.511192047676115),
    (84.77133695688822, 51.7921490163416, 59.87600745906673, 30.308688531329324),
    (25.82859007063178, -6.772131176973893, -21.956169544726762, -11.79749648365321),
)
_COEFFICIENTS = {
    "1": 1.047182171234252e-05,
    "c_Hq1": 1.096268225446551e-05,
    "c_Hq3": 1.096268225446551e-05,
    "c_Hd": -1.4168751663259822e-06,
    "c_Hq1^2": 2.933937314666025e-06,
    "c_Hq3^2": 2.933937314666025e-06,
    "c_Hd^2": 2.171307703773001e-06,
    "c_Hq1*c_Hq3": 5.867874629332057e-06,
}


def down_quarks() -> MatrixElementCheck:
    """Return the point, with a partonic energy of 250 GeV."""
    return MatrixElementCheck("d d̄ → H e⁻ e⁺", zh_amplitude(1), _MOMENTA, _COEFFICIENTS)
