"""The acceptance as a file."""

from pathlib import Path

import numpy as np
import onnx
import torch

from mem.transfer.toys import LAYOUTS, some_partons, tiny_acceptance
from partonic.export.acceptance_graph import acceptance_graph
from partonic.export.network_file import write_network
from partonic.export.parity import run_onnx
from partonic.mem.acceptance.model import AcceptanceModel


def test_a_file_says_what_the_acceptance_says(tmp_path: Path, rng: np.random.Generator) -> None:
    model = tiny_acceptance(LAYOUTS["semileptonic"])
    model.network.fit_scales(some_partons(500, seed=9))
    model.network.calibration.copy_(torch.tensor([-2.0, 1.3]))
    model.save(tmp_path / "model")
    summary = write_network(acceptance_graph(tmp_path / "model", 200, rng), tmp_path / "x.onnx", real=False)
    assert summary.deviation < 2e-5
    z = some_partons(100).float()
    found = run_onnx(onnx.load(tmp_path / "x.onnx"), {"partons": z.numpy()})
    expected = AcceptanceModel.load(tmp_path / "model").log_probability(z).numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(found["log_acceptance"], expected, atol=1e-4)
    np.testing.assert_allclose(found["acceptance"], np.exp(expected), rtol=1e-4)
    facts = {each.key: each.value for each in onnx.load(tmp_path / "x.onnx").metadata_props}
    assert facts["partonic.parton_pdg"] == "[25, 6, -6]"
    assert facts["partonic.kind"] == "acceptance"
