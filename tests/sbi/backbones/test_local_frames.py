"""LLoCa: symmetries, order, padding, and what is missing."""

import builtins

import pytest
import torch
from tests.sbi.backbones.covariant import ABOUT, ACROSS, ALONG, NAMED, TILT, changed, events
from tests.sbi.backbones.object_events import LAYOUT, SLOTS, objects, rows

from partonic.config.sbi.backbones import LlocaConfig
from partonic.errors import DependencyError
from partonic.sbi.backbones.local_frames import LocalFrames


def made(*references):
    torch.manual_seed(3)
    sizes = LlocaConfig(blocks=2, heads=2, scalars=4, vectors=1, frame_hidden=8, references=references)
    return LocalFrames(NAMED, sizes).eval()


@pytest.mark.parametrize(
    ("references", "least", "kept", "broken"),
    [
        (("beam",), 4, (ALONG, ABOUT), (ACROSS, TILT)),
        (("beam", "time"), 3, (ABOUT,), (ALONG, ACROSS, TILT)),
        ((), 4, (ABOUT, TILT, ALONG, ACROSS), ()),
    ],
)
def test_only_the_references_break_the_symmetry(references, least, kept, broken):
    """Without a direction of time three objects do not fix a frame, and have that of the laboratory."""
    found = made(*references)
    found(events())  # takes the scales of its edges from the first events
    assert all(changed(found, name, least) < 1e-4 for name in kept)
    assert all(changed(found, name, least) > 1e-2 for name in broken)


def test_too_few_objects_have_the_frame_of_the_laboratory():
    found = made()
    table = objects(20)
    table[:, 2:10] = 0.0  # two jets and missing momentum
    parts = LAYOUT.split(rows(table))
    first = found(parts)
    assert torch.isfinite(first).all()
    assert torch.equal(first, found(parts))  # no random direction is taken


def test_order_and_padding_do_not_matter():
    found = made("beam", "time")
    table = objects(30)
    other = table.copy()
    for _, place in SLOTS.kinds():
        other[:, place] = other[:, place][:, ::-1]
    with torch.no_grad():
        whole, turned = (found(LAYOUT.split(rows(each))) for each in (table, other))
        alone = torch.cat([found(LAYOUT.split(rows(table)[i : i + 1])) for i in range(30)])
    scale = float(whole.std())
    assert float((whole - turned).abs().max()) < 1e-4 * scale
    assert float((whole - alone).abs().max()) < 1e-4 * scale


def test_gradients_reach_the_frames():
    found = made("beam", "time")
    found(events()).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in found.parameters())
    assert any(weight.grad.any() for weight in found.predict.parameters())


def test_a_missing_package_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.partition(".")[0] == "lloca":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DependencyError, match=r"pip install 'partonic\[lloca\]'"):
        made()
