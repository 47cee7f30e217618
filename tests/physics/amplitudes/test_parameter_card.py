"""Parameter cards: values by name and by code, and the same card with changed values."""

import pytest

from partonic.errors import ParameterError, ProcessError
from partonic.physics.amplitudes.parameter_card import ParameterCard

CARD = """######################################################################
## INFORMATION FOR MASS
Block mass
    5 4.700000e+00 # MB
    6 1.725000d+02 # MT
   25 1.250000e+02 # MH
## Dependent parameters, given by model restrictions.
   12 0.000000 # ve : 0.0
BLOCK SMINPUTS # electroweak
    3 1.18e-01 # aS (Note that Parameter not used if you use a PDF set)
Block VCKM
    1 1 9.7e-01
DECAY   6 1.42 # WT
#  BR             NDA  ID1    ID2   ...
   1.000000e+00   2    5  24 # 1.42
Block QNUMBERS 9000001 # heavy
    1 0 # 3 times electric charge
"""


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "param_card.dat"
    path.write_text(CARD)
    return ParameterCard.read(path)


def test_values(card):
    assert card.values == {"MB": 4.7, "MT": 172.5, "MH": 125.0, "ve": 0.0, "aS": 0.118, "VCKM_1_1": 0.97, "WT": 1.42}


def test_changed_card_keeps_everything_else(card, tmp_path):
    text = card.changed({"MT": 173.0, "DECAY_6": 0.0, "VCKM_1_1": 1.0})
    (tmp_path / "changed.dat").write_text(text)
    again = ParameterCard.read(tmp_path / "changed.dat")
    assert again.values == {**card.values, "MT": 173.0, "WT": 0.0, "VCKM_1_1": 1.0}
    kept = [line for line in CARD.splitlines() if not any(name in line for name in ("# MT", "# WT", "1 1 9.7"))]
    assert all(line in text.splitlines() for line in kept)


def test_values_survive_to_the_last_digit(card, tmp_path):
    value = 172.1234567890123456
    (tmp_path / "changed.dat").write_text(card.changed({"MT": value}))
    assert ParameterCard.read(tmp_path / "changed.dat").values["MT"] == value


def test_unknown_name(card):
    with pytest.raises(ParameterError, match=r"'MASS_7' is not on the parameter card \(did you mean MASS_"):
        card.changed({"MASS_7": 1.0})


def test_missing_or_empty_card(tmp_path):
    with pytest.raises(ProcessError, match="not found"):
        ParameterCard.read(tmp_path / "none.dat")
    (tmp_path / "empty.dat").write_text("just text\n")
    with pytest.raises(ProcessError, match="no parameter card"):
        ParameterCard.read(tmp_path / "empty.dat")
