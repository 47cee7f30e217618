"""Features by name: each against the columns that it is made from."""

import numpy as np
import pyarrow as pa
import pytest

from partonic.errors import ConfigError
from partonic.events.batch import EventBatch
from partonic.events.process_info import ProcessInfo
from partonic.events.schema import StoreMetadata
from partonic.features.high_level import FEATURES
from partonic.features.named import NamedFeatures
from partonic.polynomial import Monomials
from partonic.process_registry import find_process


def metadata(process="toy"):
    info = ProcessInfo(process, ("a", "b"), (23, 25), Monomials.up_to_degree(("t",), 1), 13_000.0)
    return StoreMetadata.for_process(info)


def batch(facts):
    lists = {"jet_pt": [[50.0, 40.0], [30.0], []], "jet_btag": [[1.0, 0.0], [0.0], []]}
    table = {
        "event_id": [0, 1, 2],
        "met_pt": pa.array([3.0, 4.0, None], pa.float32()),
        "met_phi": pa.array([0.0, np.pi / 2, None], pa.float32()),
        "partons": pa.array([list(range(8)), list(range(8, 16)), list(range(16, 24))], pa.list_(pa.float64(), 8)),
        **{name: pa.array(values, pa.list_(pa.float32())) for name, values in lists.items()},
    }
    return EventBatch(pa.table(table), facts)


def test_columns_places_and_components():
    facts = metadata()
    features = NamedFeatures(["met_pt", "met_px", "met_py", "jet_pt[1]", "partons[5]"], facts)
    assert features.columns == ("met_pt", "met_phi", "jet_pt", "partons")
    expected = [[3, 3, 0, 40, 5], [4, 0, 4, np.nan, 13], [np.nan, np.nan, np.nan, np.nan, 21]]
    np.testing.assert_allclose(features.of(batch(facts)), expected, atol=1e-6)


def test_high_level_stands_for_all_of_them():
    assert NamedFeatures(["high_level", "partons[0]"], metadata()).names == (*FEATURES, "partons[0]")


def test_an_observable_of_the_partons():
    definition = find_process("wz")
    settings = definition.settings()
    info = ProcessInfo.of_config(settings)
    facts = StoreMetadata.for_process(info)
    observable = definition.observables(facts.parton_names)[0]
    momenta = np.random.default_rng(1).normal(scale=50.0, size=(4, len(facts.parton_names), 4))
    momenta[..., 0] = np.sqrt((momenta[..., 1:] ** 2).sum(axis=-1))
    pdg = np.tile(facts.parton_pdg, (4, 1)).astype(np.int32)
    table = pa.table({
        "partons": pa.FixedSizeListArray.from_arrays(pa.array(momenta.ravel()), 4 * momenta.shape[1]),
        "parton_pdg": pa.FixedSizeListArray.from_arrays(pa.array(pdg.ravel()), momenta.shape[1]),
        "x1": [0.1] * 4,
        "x2": [0.1] * 4,
    })  # fmt: skip
    import torch

    features = NamedFeatures([observable.name], facts)
    assert set(features.columns) >= {"partons"}
    expected = observable.of(torch.from_numpy(momenta), torch.from_numpy(pdg.astype(np.int64)))
    np.testing.assert_allclose(features.of(EventBatch(table, facts))[:, 0], expected)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["jet_pt"], "no feature 'jet_pt'"),
        (["weight"], "no feature 'weight'"),
        (["coefficients[0]"], r"no feature 'coefficients\[0\]'"),
        (["nonsense"], "known: high_level"),
        (["met_pt", "met_pt"], "listed twice: met_pt"),
        ([], "one feature at least"),
    ],
)
def test_what_is_no_feature_is_told(names, message):
    with pytest.raises(ConfigError, match=message):
        NamedFeatures(names, metadata())


def test_no_events_have_no_features():
    facts = metadata()
    empty = EventBatch(batch(facts).table.slice(0, 0), facts)
    assert NamedFeatures(["met_pt", "jet_pt[0]"], facts).of(empty).shape == (0, 2)


def test_logarithm_of_what_is_positive():
    facts = metadata()
    features = NamedFeatures(["log(met_pt)", "log(jet_pt[1])", "log(partons[0])"], facts)
    expected = [[np.log(3), np.log(40), np.nan], [np.log(4), np.nan, np.log(8)], [np.nan, np.nan, np.log(16)]]
    np.testing.assert_allclose(features.of(batch(facts)), expected, atol=1e-6)
    with pytest.raises(ConfigError, match="no feature 'nonsense'"):
        NamedFeatures(["log(nonsense)"], facts)
