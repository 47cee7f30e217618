import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from tests.inference.line_toy import MONOMIALS, coefficients, draw, mixture, rate, without, write_store

from partonic.errors import EventFileError, SchemaError
from partonic.inference.coefficients.coefficients_file import (
    CoefficientsMetadata,
    CrossSectionRecord,
    read_coefficients,
    read_metadata,
    write_coefficients,
)
from partonic.inference.coefficients.response import CalibrationResponse
from partonic.inference.coefficients.weight_samples import WeightSamples
from partonic.inference.likelihood.error_budget import calibration_covariance
from partonic.inference.likelihood.event_terms import EventTerms
from partonic.inference.likelihood.fit import fit
from partonic.inference.likelihood.unbinned import ExtendedLikelihood


def metadata(**changes):
    facts = {"parameters": MONOMIALS.parameters, "exponents": MONOMIALS.exponents, "source": "mem"}
    return CoefficientsMetadata(**(facts | changes))


@pytest.fixture
def written(tmp_path, rng):
    noise = np.diag([0, 1.0, 2, 3, 4, 5]) * 1e-4
    noise[1, 2] = noise[2, 1] = 5e-5
    events = without(coefficients(draw(rng, 12), noise, rng), np.arange(12) == 3)
    path = tmp_path / "signal.parquet"
    write_coefficients(path, events, metadata(cross_section=rate(0.01).record(), seed=4, facts={"truth": {"a": 0.1}}))
    return path, events


def test_all_comes_back(written):
    path, events = written
    read, facts = read_coefficients(path)
    for name in ("event_id", "ratios", "log_reference", "covariance", "relative_error"):
        np.testing.assert_array_equal(getattr(read, name), getattr(events, name))
    assert (read.status, read.source, read.monomials) == (events.status, "mem", MONOMIALS)
    assert (facts.seed, facts.facts) == (4, {"truth": {"a": 0.1}})
    np.testing.assert_array_equal(facts.cross_section.covariance, rate(0.01).covariance)
    assert read_metadata(path) == facts


def calibrated(events, rng):
    """The events with a response of two numbers each to a calibration in three directions."""
    root = rng.normal(size=(6, 6))
    design = np.where(events.usable()[:, None], rng.normal(size=(len(events), 2)), np.nan)
    response = CalibrationResponse(design, rng.normal(size=(3, 6)), root @ root.T, np.array([1.0, 0, 0, 0.1, 0, 0.2]))
    return replace(events, covariance=np.zeros_like(events.covariance), response=response)


def test_a_calibration_comes_back_with_its_errors(written, tmp_path, rng):
    """The errors of a fit of what is read are those of what was written: nothing of the response is lost."""
    events = calibrated(written[1], rng)
    write_coefficients(tmp_path / "calibrated.parquet", events, metadata())
    read = read_coefficients(tmp_path / "calibrated.parquet")[0]
    for name in ("design", "directions", "covariance", "reference"):
        np.testing.assert_array_equal(getattr(read.response, name), getattr(events.response, name))
    errors = []
    for each in (events, read):
        terms = EventTerms.of(each.select(each.usable()))
        function = ExtendedLikelihood(mixture(), terms, np.ones(len(terms)))
        errors.append(np.diag(calibration_covariance(function, fit(function))))
    assert errors[0][0] > 0
    np.testing.assert_array_equal(*errors)


def test_half_a_calibration_is_refused(written, tmp_path, rng):
    path = tmp_path / "calibrated.parquet"
    write_coefficients(path, calibrated(written[1], rng), metadata())
    table = pq.read_table(path)
    kept = {key: value for key, value in table.schema.metadata.items() if key != b"partonic.response"}
    pq.write_table(table.replace_schema_metadata(kept), path)
    with pytest.raises(SchemaError, match="only in part"):
        read_coefficients(path)
    pq.write_table(table.replace_schema_metadata({**kept, b"partonic.response": b"{}"}), path)
    with pytest.raises(SchemaError, match="of the calibration of its events is not valid"):
        read_coefficients(path)


def test_no_events(tmp_path, rng):
    write_coefficients(tmp_path / "none.parquet", coefficients(draw(rng, 2)[:0]), metadata())
    assert len(read_coefficients(tmp_path / "none.parquet")[0]) == 0


def test_missing_and_damaged_files(written, tmp_path):
    path, _ = written
    with pytest.raises(EventFileError, match=r"there is no file of coefficients .*run `partonic mem`"):
        read_coefficients(tmp_path / "other.parquet")
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    with pytest.raises(EventFileError, match="is damaged, truncated or not Parquet"):
        read_coefficients(path)
    path.write_bytes(content[:200] + bytes(200) + content[400:])
    with pytest.raises(EventFileError, match="is damaged"):
        read_coefficients(path)
    path.write_text("event_id,ratios\n")
    with pytest.raises(EventFileError, match="not Parquet"):
        read_coefficients(path)


def test_files_of_something_else(tmp_path, rng):
    write_store(tmp_path / "events.parquet", draw(rng, 3))
    with pytest.raises(SchemaError, match="not a file of coefficients"):
        read_coefficients(tmp_path / "events.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "plain.parquet")
    with pytest.raises(SchemaError, match="not a file of coefficients"):
        read_coefficients(tmp_path / "plain.parquet")


def rewrite(path, change):
    table = pq.read_table(path)
    content = json.loads(table.schema.metadata[b"partonic"])
    change(content)
    pq.write_table(table.replace_schema_metadata({b"partonic": json.dumps(content)}), path)


def test_other_formats_and_columns(written):
    path, _ = written
    rewrite(path, lambda content: content.update(format=99))
    with pytest.raises(SchemaError, match="has format 99, but this partonic reads format 1"):
        read_coefficients(path)
    rewrite(path, lambda content: content.update(format=1, surprise=True))
    with pytest.raises(SchemaError, match="the metadata of the coefficients are not valid"):
        read_coefficients(path)
    rewrite(path, lambda content: content.pop("surprise"))
    table = pq.read_table(path).drop_columns(["relative_error"])
    pq.write_table(table, path)
    with pytest.raises(SchemaError, match="has other columns than a file of coefficients"):
        read_coefficients(path)


def test_metadata_of_something_else_are_not_written(tmp_path, rng):
    with pytest.raises(SchemaError, match="the metadata are of 'toy'"):
        write_coefficients(tmp_path / "x.parquet", coefficients(draw(rng, 2)), metadata(source="toy"))
    assert not list(tmp_path.iterdir())


def test_cross_sections_must_fit():
    with pytest.raises(ValidationError, match="the covariance of 2 cross sections must be 2×2"):
        CrossSectionRecord(coefficients=(1.0, 2.0), covariance=((1.0,),))
    with pytest.raises(ValidationError, match="must have 6 coefficients"):
        metadata(cross_section=CrossSectionRecord(coefficients=(1.0,), covariance=((1.0,),)))
    with pytest.raises(ValidationError, match="powers"):
        metadata(exponents=((0,),))


def test_sets_of_weights_come_back(written, tmp_path, rng):
    """Two columns more, in the order of the sets; a file without them has none, and none of their columns."""
    _, events = written
    ratios = np.where(np.isfinite(events.ratios)[:, None], rng.normal(size=(12, 4, 6)), np.nan)
    logs = np.where(np.isfinite(events.log_reference)[:, None], rng.normal(size=(12, 4)), np.nan)
    path, records = tmp_path / "samples.parquet", (rate(0.01).record(), rate(0.02).record())
    write_coefficients(
        path, replace(events, samples=WeightSamples(ratios, logs)), metadata(sample_cross_sections=records)
    )
    read, facts = read_coefficients(path)
    np.testing.assert_array_equal(read.samples.ratios, ratios)
    np.testing.assert_array_equal(read.samples.log_reference, logs)
    assert facts.sample_cross_sections == records
    table = pq.read_table(path)
    first = np.array(table.column("sample_ratios")[0].as_py()).reshape(4, 6)
    np.testing.assert_array_equal(first, ratios[0])
    assert read_coefficients(written[0])[0].samples is None
    assert "sample_ratios" not in pq.read_schema(written[0]).names
    assert "sample_ratios" not in read.diagnostics.columns
