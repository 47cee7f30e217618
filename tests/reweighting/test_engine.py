import pytest

from partonic.errors import ConfigError, ProcessError
from partonic.physics.amplitudes.amplitude import SquaredMatrixElement
from partonic.reweighting.engine import Engine, check_model, open_engine


def test_the_engine_of_the_settings(settings):
    engine = open_engine(settings())
    assert isinstance(engine, Engine)
    assert engine.name == "ufoamp"
    built = engine.build((2, -2, 6, -6, 25))
    assert isinstance(built.element, SquaredMatrixElement)
    assert built.element.particles == (2, -2, 25, 6, -6)  # without colour first, which is much faster
    assert built.masses == (0.0, 0.0, 125.0, 172.5, 172.5)
    assert built.blocks["ctG"] == built.blocks["dkt"] == "EFT"
    assert not built.mirrored


def test_values_of_the_settings_and_the_fingerprint_of_the_files(settings, write_changed_model):
    engine = open_engine(settings())
    other = open_engine(settings(values={"MT": 173.0}))
    assert other.build((2, -2, 6, -6)).masses == (0.0, 0.0, 173.0, 173.0)
    assert other.fingerprint == engine.fingerprint
    changed = write_changed_model(parameters=lambda text: text.replace("172.5", "172.6"))
    assert open_engine(settings(model=changed)).fingerprint != engine.fingerprint


def test_consent(settings, serialized_model, tmp_path):
    for engine in ("ufoamp", "pyamplicol"):
        with pytest.raises(
            ConfigError, match=r"a Python program: it runs with your rights.*trust_model: true \(or --trust"
        ):
            check_model(settings(engine=engine, trust_model=False))
    check_model(settings(engine="pyamplicol", model=serialized_model, trust_model=False))
    with pytest.raises(ConfigError, match=r"there is no model .*absent; mend the key `model` \(--model\)"):
        check_model(settings(model=tmp_path / "absent"))


def test_a_serialized_model_is_not_for_ufoamp(settings, serialized_model):
    with pytest.raises(ProcessError, match=r"no UFO model: expected a folder .*for the engine pyamplicol"):
        open_engine(settings(model=serialized_model))
