"""Objects and cuts of a simulation, and their record."""

import pytest

from mem.transfer.toys import LAYOUTS
from partonic.config.simulation import SimulationConfig
from partonic.errors import ProcessError
from partonic.mem.transfer.layout import TransferLayout

THQ = (25, 6, 1)


def simulation(**selection: object) -> SimulationConfig:
    return SimulationConfig.model_validate(
        {
            "decays": {"higgs": "gammagamma", "tops": "hadronic"},
            "jets": {"pt_min": 25.0, "eta_max": 4.7},
            "selection": {"leptons": 0, "jets_min": 3, "b_tags_min": 1, "photon_pt_min": 20.0, **selection},
        }
    )


def test_photons_of_a_simulation() -> None:
    layout = TransferLayout.of(simulation(photons=2), THQ)
    assert (layout.leptons, layout.photons, layout.missing, layout.reference_object) == (0, 2, 2, 0)
    assert (layout.photon_pt_min, layout.photon_eta_max, layout.jet_eta_max) == (20.0, 2.5, 4.7)
    assert layout.reference_parton == 0  # H, whose photon has φ = 0
    assert TransferLayout.of(simulation(photons_min=2), THQ).photons == 2


@pytest.mark.parametrize(
    ("selection", "asked"), [({}, 0), ({"photons": 1}, 1), ({"photons": 3}, 3), ({"photons_min": 1}, 1)]
)
def test_selection_that_leaves_the_photons_open(selection: dict[str, int], asked: int) -> None:
    message = f"decay to 2 photons, but the selection asks for {asked}: set simulation.selection.photons to 2"
    with pytest.raises(ProcessError, match=message):
        TransferLayout.of(simulation(**selection), THQ)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_record_gives_the_layout_again(layout: TransferLayout) -> None:
    record = layout.record()
    assert TransferLayout.of_record(record) == layout
    assert ("photon_pt_min" in record) is (layout.photons > 0)  # models without photons are recorded as before
