"""The one setting of all generative models: told apart by `kind`, wrong ones refused."""

import pytest
from pydantic import TypeAdapter, ValidationError

from partonic.config.generative import CouplingFlowConfig, GenerativeConfig

SETTINGS = TypeAdapter(GenerativeConfig)


def test_kind_chooses_the_settings():
    found = SETTINGS.validate_python({"kind": "coupling", "transform": "quadratic"})
    assert found == CouplingFlowConfig(transform="quadratic")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "boltzmann"}, "does not match any of the expected tags"),
        ({"kind": "gan", "beta": 2.0}, "Extra inputs are not permitted"),
        ({"kind": "autoregressive", "transform": "affine"}, "Extra inputs are not permitted"),
        ({"kind": "autoregressive_transformer", "width": 30, "heads": 4}, "number of heads must divide the width"),
        ({"kind": "flow_matching", "solver": {"tolerance": 0.0}}, "greater than 0"),
        ({"kind": "diffusion", "sampler": "euler"}, "Input should be 'ddpm', 'ddim' or 'ode'"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        SETTINGS.validate_python(settings)
