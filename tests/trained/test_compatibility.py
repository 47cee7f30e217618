from dataclasses import replace
from types import SimpleNamespace

import pytest
from tests.unfolding.toys import PROCESS

from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.polynomial import Monomials
from partonic.trained.compatibility import check_detector, check_process, check_theory
from partonic.trained.schema_record import SchemaRecord

MODEL = SimpleNamespace(schema=SchemaRecord.of(PROCESS))
METADATA = StoreMetadata.for_process(PROCESS)


def test_a_model_meets_events_of_any_process_but_of_its_own_collider() -> None:
    models = (MODEL, None, "uniform")
    check_detector(models, METADATA, "here")
    check_detector(models, StoreMetadata.for_process(replace(PROCESS, name="other")), "here")
    with pytest.raises(SchemaError, match=r"here does not hold events such as .* √S = 7000 GeV, the model knows 13000"):
        check_detector(models, StoreMetadata.for_process(replace(PROCESS, collider_energy=7000.0)), "here")


def test_a_model_of_another_process_is_named() -> None:
    check_process("acceptance", MODEL, "tth", "mend it")
    check_process("acceptance", None, "ttbb", "mend it")
    with pytest.raises(SchemaError, match=r"the acceptance was trained on events of 'tth', .* is 'ttbb': mend it"):
        check_process("acceptance", MODEL, "ttbb", "mend it")


def test_coefficients_of_another_process_or_of_other_parameters_are_refused() -> None:
    check_theory("tth", PROCESS.monomials, METADATA, "here", "mend it")
    with pytest.raises(SchemaError, match=r"holds events of 'tth', but the cross section of 'ttbb' is .*: mend it"):
        check_theory("ttbb", PROCESS.monomials, METADATA, "here", "mend it")
    with pytest.raises(SchemaError, match="here has coefficients of 1, delta_kappa_t"):
        check_theory("tth", Monomials.up_to_degree(("c_tG",), 2), METADATA, "here", "mend it")
