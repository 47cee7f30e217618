import json

import numpy as np
import pytest
import torch
from tests.trees.tree_toys import QUADRATIC, few, smeared_gaussian

from partonic.errors import ModelError
from partonic.trained.model_folder import load_record, save_model
from partonic.trees.boost import boost
from partonic.trees.model_files import is_model, load_trees, save_trees


@pytest.fixture(scope="module")
def trees():
    data = smeared_gaussian(2_000, np.random.default_rng(1))[0]
    return boost(data, QUADRATIC, few(trees=5, held_out=0.2), np.random.default_rng(2))


@pytest.fixture
def folder(tmp_path, trees):
    save_trees(tmp_path / "model", trees)
    return tmp_path / "model"


def test_a_saved_ensemble_comes_back_to_the_bit(folder, trees):
    assert is_model(folder)
    again = load_trees(folder)
    features = np.random.default_rng(3).normal(size=(500, 2))
    features[::5, 0] = np.nan
    np.testing.assert_array_equal(again.predict(features), trees.predict(features))
    assert again.monomials == trees.monomials
    assert again.settings == trees.settings
    assert again.facts.to_json() == trees.facts.to_json()
    assert again.importance == trees.importance


def test_saving_again_gives_the_same_files(folder, trees, tmp_path):
    save_trees(tmp_path / "other", load_trees(folder))
    for name in ("model.json", "weights.safetensors"):
        assert (tmp_path / "other" / name).read_bytes() == (folder / name).read_bytes()


def edit(folder, change):
    document = json.loads((folder / "model.json").read_text())
    change(document)
    (folder / "model.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(format=7), "has layout 7"),
        (lambda d: d["record"].pop("settings"), "is damaged: 'settings'"),
        (lambda d: d["record"]["settings"].update(trees=0), "is damaged"),
        (lambda d: d["record"].update(kind="flow"), "another kind of model"),
        (lambda d: d.update(weights_sha256="0"), "checksum"),
    ],
)
def test_damaged_records(folder, change, message):
    edit(folder, change)
    with pytest.raises(ModelError, match=message):
        load_trees(folder)


def test_no_model(tmp_path):
    assert not is_model(tmp_path)
    with pytest.raises(ModelError, match="holds no trained model"):
        load_trees(tmp_path)


def test_truncated_weights(folder):
    content = (folder / "weights.safetensors").read_bytes()
    (folder / "weights.safetensors").write_bytes(content[:-1])
    with pytest.raises(ModelError, match="checksum"):
        load_trees(folder)


def test_weights_of_something_else(folder):
    record = load_record(folder)
    save_model(folder, {"edges": torch.zeros(3)}, record)
    with pytest.raises(ModelError, match=r"is damaged: 'edge_counts'.*train the trees again"):
        load_trees(folder)
