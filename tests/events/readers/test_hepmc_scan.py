import gzip

import pytest

from partonic.errors import EventFileError
from partonic.events.readers.hepmc_scan import HepmcSummary, scan_hepmc

VERSION_3 = """HepMC::Version 3.02.05
HepMC::Asciiv3-START_EVENT_LISTING
W nominal\\|MUR=2 MUF=1
E 0 1 3
U GEV MM
W 1.5 2.0
A 0 GenCrossSection 10.0 1.0 -1 -1
E 1 1 3
W -0.5 2.0
A 0 GenCrossSection 12.0 1.0 -1 -1
HepMC::Asciiv3-END_EVENT_LISTING
"""

VERSION_2 = """HepMC::Version 2.06
HepMC::IO_GenEvent-START_EVENT_LISTING
E 4 0 0.0 0.0 0.0 0 0 2 10001 10002 2 77 78 2 1.5 -2.0
N 2 "nominal" "MUR 2"
C 7.0 0.1
HepMC::IO_GenEvent-END_EVENT_LISTING
"""


def test_both_versions(tmp_path):
    path = tmp_path / "e"
    path.write_text(VERSION_3)
    names = ("nominal", "MUR=2 MUF=1")
    assert scan_hepmc(path) == HepmcSummary(2, 2, (1.0, 4.0), names, 12.0, 1.0, "hepmc3", "3.02.05")
    path.write_bytes(gzip.compress(VERSION_2.encode()))
    assert scan_hepmc(path) == HepmcSummary(1, 1, (1.5, -2.0), ("nominal", "MUR 2"), 7.0, 0.1, "hepmc2", "2.06")


def test_weights_without_names_have_numbers(tmp_path):
    path = tmp_path / "e"
    path.write_text("".join(line for line in VERSION_3.splitlines(True) if "MUF" not in line))
    assert scan_hepmc(path).names == ("0", "1")


def test_text_that_is_no_hepmc(tmp_path):
    path = tmp_path / "e"
    path.write_text("nothing\n")
    with pytest.raises(EventFileError, match="truncated or no HepMC text"):
        scan_hepmc(path)
    path.write_text(VERSION_3.replace("W 1.5", "W x"))
    with pytest.raises(EventFileError, match=r"event 0 .* malformed"):
        scan_hepmc(path)
