from pathlib import Path

import numpy as np
import pytest

from partonic.provenance import content_hash, file_digest, package_versions


def test_versions_of_what_is_installed() -> None:
    versions = package_versions(["numpy", "no-such-package"])
    assert versions["numpy"] == np.__version__
    assert set(versions) == {"python", "numpy"}


def test_hash_depends_on_content_and_not_on_order() -> None:
    assert content_hash({"a": 1, "b": [1, 2]}) == content_hash({"b": [1, 2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})
    assert content_hash({"a": [1, 2]}) != content_hash({"a": [2, 1]})


def test_hash_is_frozen() -> None:
    """SHA-256 of ``{"a": 1}``, as sha256sum gives it: outputs of earlier versions stay up to date."""
    assert content_hash({"a": 1}) == "f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310"


def test_nan_has_no_hash() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_hash({"a": float("nan")})


def test_digest_of_a_file(tmp_path: Path) -> None:
    """SHA-256 of the three letters abc (FIPS 180-2, appendix B.1)."""
    path = tmp_path / "abc"
    path.write_text("abc")
    assert file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
