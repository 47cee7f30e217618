"""L-GATr and its slim form: symmetries, order, padding, gradients, and what is missing."""

import builtins

import pytest
import torch
from tests.sbi.backbones.covariant import ABOUT, ACROSS, ALONG, NAMED, TILT, changed, events
from tests.sbi.backbones.object_events import LAYOUT, SLOTS, objects, rows

from partonic.config.sbi.backbones import LgatrConfig
from partonic.errors import DependencyError
from partonic.sbi.backbones.geometric import GeometricTransformer, SlimTransformer

pytest.importorskip("lgatr")
BOTH = pytest.mark.parametrize("trunk", [GeometricTransformer, SlimTransformer])


def made(trunk, *references):
    torch.manual_seed(3)
    return trunk(NAMED, LgatrConfig(blocks=2, heads=2, vectors=4, scalars=8, references=references)).eval()


@BOTH
@pytest.mark.parametrize(
    ("references", "kept", "broken"),
    [
        (("beam",), (ALONG, ABOUT), (ACROSS, TILT)),
        (("beam", "time"), (ABOUT,), (ALONG, ACROSS, TILT)),
        (("time",), (ABOUT, TILT), (ALONG, ACROSS)),
        ((), (ABOUT, TILT, ALONG, ACROSS), ()),
    ],
)
def test_only_the_references_break_the_symmetry(trunk, references, kept, broken):
    found = made(trunk, *references)
    assert all(changed(found, name) < 1e-4 for name in kept)
    assert all(changed(found, name) > 1e-3 for name in broken)


@BOTH
def test_order_and_padding_do_not_matter(trunk):
    found = made(trunk, "beam", "time")
    table = objects(30)
    other = table.copy()
    for _, place in SLOTS.kinds():
        other[:, place] = other[:, place][:, ::-1]
    with torch.no_grad():
        whole, turned = (found(LAYOUT.split(rows(each))) for each in (table, other))
        # alone, each event has the slots that it needs; together, those of the largest
        alone = torch.cat([found(LAYOUT.split(rows(table)[i : i + 1])) for i in range(30)])
    scale = float(whole.std())
    assert float((whole - turned).abs().max()) < 1e-4 * scale
    assert float((whole - alone).abs().max()) < 1e-4 * scale


@BOTH
def test_gradients_reach_what_decides(trunk):
    found = made(trunk, "beam", "time")
    found(events()).square().sum().backward()
    reached = [name for name, weight in found.named_parameters() if weight.grad is not None and weight.grad.any()]
    assert any("blocks.0" in name for name in reached)
    assert any("blocks.1" in name for name in reached)
    assert any("linear_in" in name for name in reached)


@BOTH
def test_a_missing_package_is_named(trunk, monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "lgatr":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[sbi\]'"):
        made(trunk)
