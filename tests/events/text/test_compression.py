import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from partonic.errors import EventFileError
from partonic.events.text import compression
from partonic.events.text.compression import opened_bytes, reading

TEXT = b"<LesHouchesEvents>\n" + b"0123456789\n" * 5_000


def zstd(data):
    module = pytest.importorskip("backports.zstd")
    return module.compress(data, options={module.CompressionParameter.checksum_flag: 1})


KINDS = {"plain": lambda data: data, "gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "zst": zstd}


def content(path):
    with reading(path), opened_bytes(path) as stream:
        return stream.read()


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_bytes_say_what_a_file_is(tmp_path, kind):
    path = tmp_path / "events.txt"
    path.write_bytes(KINDS[kind](TEXT))
    assert content(path) == TEXT


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2", "zst"])
def test_files_of_several_members(tmp_path, kind):
    path = tmp_path / "events.lhe.gz"
    path.write_bytes(KINDS[kind](TEXT[:777]) + KINDS[kind](TEXT[777:]))
    assert content(path) == TEXT


@pytest.mark.parametrize("kind", ["gz", "xz", "bz2", "zst"])
@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_files(tmp_path, kind, damage):
    packed = bytearray(KINDS[kind](bytes((17 * index * index) % 251 for index in range(50_000))))
    if damage == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    path = tmp_path / "events"
    path.write_bytes(bytes(packed))
    with pytest.raises(EventFileError, match="events is truncated or damaged"):
        content(path)


def archive(kind):
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("e.lhe", TEXT)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as file:
            info = tarfile.TarInfo("e.lhe")
            info.size = len(TEXT)
            file.addfile(info, io.BytesIO(TEXT))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (gzip.compress(b"", mtime=0), "0 bytes once it is decompressed"),
        (archive("zip"), "a zip archive: unpack it"),
        (archive("tar"), "a tar archive: unpack it"),
        (gzip.compress(archive("tar")), "a tar archive: unpack it"),
        (b"\x1f\x9d\x90abc", "compressed with `compress`"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (b"LZIP\x01", "compressed with lzip"),
        (b"\x04\x22\x4d\x18abc", "compressed with lz4"),
        (b"root\x00\x00\xf7", "a ROOT file, not text"),
        (b"hmpb\x00\x01", "a protobuf container of HepMC3"),
        (b"PAR1abc", "a Parquet file"),
        (b"%PDF-1.4", "a PDF document"),
    ],
)
def test_files_that_are_something_else(tmp_path, data, message):
    path = tmp_path / "events.lhe"
    path.write_bytes(data)
    with pytest.raises(EventFileError, match=message):
        content(path)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(EventFileError, match=r"cannot read the event file .*no\.lhe: No such file"):
        content(tmp_path / "no.lhe")


def test_zstandard_without_its_package(tmp_path, monkeypatch):
    monkeypatch.setattr(compression, "_ZSTD_PLACES", ("no_such_package",))
    path = tmp_path / "events"
    path.write_bytes(b"\x28\xb5\x2f\xfd\x00")
    with pytest.raises(EventFileError, match=r"compressed with Zstandard, .* install the package backports\.zstd"):
        content(path)
