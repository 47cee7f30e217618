import numpy as np
import pytest
from tests.events.readers.root_files import write_tree

from partonic.config.importing import ImportConfig
from partonic.errors import EventFileError
from partonic.events.readers.notes import Notes
from partonic.events.readers.root.file import opened
from partonic.events.readers.root.generator_sums import generator_sums, normalisation

WEIGHTS = [2.0, -1.0, 3.0]


def sums(path, weights=WEIGHTS, branches=None, left_out=frozenset(), notes=None, **trees):
    trees = {name: {key: np.array(values) for key, values in tree.items()} for name, tree in trees.items()}
    write_tree(path, "Events", {"genWeight": np.array(weights, np.float32)}, **trees)
    notes = notes or Notes()
    with opened(path, notes) as file:
        return generator_sums(file, file.tree("Events"), "genWeight", branches or {}, left_out, notes)


def factor(*all_sums, section=0.5):
    config = ImportConfig(format="nanoaod", files=("a.root",), cross_section=section, btag={"working_point": 0.5})
    notes = Notes()
    return *normalisation(all_sums, config, notes), notes


@pytest.mark.parametrize("ending", ["", "_"])
@pytest.mark.parametrize("tree", ["Runs", "LuminosityBlocks"])
def test_every_known_spelling(tmp_path, ending, tree):
    stated = {f"genEventSumw{ending}": [100.0, 60.0], f"genEventCount{ending}": [60, 40]}
    found = sums(tmp_path / "a.root", **{tree: stated})
    assert (found.events, found.generated, found.sum_of_weights, found.tree) == (3, 100, 160.0, tree)
    scale, generated, notes = factor(found)
    assert scale == pytest.approx(0.5 / 160.0)
    assert generated == 100
    assert notes.facts["normalisation"] == (
        f"the generator weights, of sum 160 in the tree '{tree}', are scaled to 0.5 pb; 3 of 100 generated events are "
        "in the files"
    )
    assert notes.warnings == []


def test_without_the_number_of_events(tmp_path):
    found = sums(tmp_path / "a.root", Runs={"genEventSumw": [100.0]})
    assert (found.generated, found.sum_of_weights) == (3, 100.0)


def test_sums_of_the_events_are_stated_as_such(tmp_path):
    found = sums(tmp_path / "a.root", Runs={"run": [1]})
    assert (found.sum_of_weights, found.generated, found.tree) == (4.0, 3, None)
    scale, _, notes = factor(found)
    assert scale == 0.125
    assert "no file states the sum of weights" in notes.warnings[0]


def test_events_that_are_left_out_count_nowhere(tmp_path):
    stated = {"genEventSumw": [100.0], "genEventCount": [60]}
    found = sums(tmp_path / "a.root", left_out=frozenset({1}), Runs=stated)
    assert (found.events, found.generated, found.sum_of_weights) == (2, 59, 101.0)
    found = sums(tmp_path / "b.root", left_out=frozenset({1}))
    assert (found.events, found.generated, found.sum_of_weights) == (2, 2, 5.0)


def test_names_that_the_user_gives(tmp_path):
    trees = {"Runs": {"sumOfWeights": [50.0], "events": [20]}}
    with pytest.raises(EventFileError, match=r"names that are not known: sumOfWeights \(Runs\).*`sum_of_weights: <br"):
        sums(tmp_path / "a.root", **trees)
    names = {"sum_of_weights": "sumOfWeights", "generated_events": "events"}
    found = sums(tmp_path / "a.root", branches=names, **trees)
    assert (found.generated, found.sum_of_weights) == (20, 50.0)
    with pytest.raises(EventFileError, match=r"Runs and LuminosityBlocks lack the branch total"):
        sums(tmp_path / "a.root", branches={"sum_of_weights": "total"}, **trees)
    with pytest.raises(EventFileError, match=r"'Runs' lacks the branch number .*generated_events"):
        sums(tmp_path / "a.root", branches=names | {"generated_events": "number"}, **trees)


def test_sums_of_variations_are_no_sums_of_the_weights(tmp_path):
    found = sums(tmp_path / "a.root", Runs={"LHEPdfSumw": [1.0], "nLHEScaleSumw": [9], "PSSumw": [1.0]})
    assert found.tree is None


def test_two_spellings(tmp_path):
    with pytest.raises(EventFileError, match="'Runs' has genEventSumw and genEventSumw_, of different versions"):
        sums(tmp_path / "a.root", Runs={"genEventSumw": [100.0], "genEventSumw_": [90.0]})


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"genEventSumw": [4.0], "genEventCount": [2]}, "has 3 events, but its tree 'Runs' says that 2 were generated"),
        (
            {"genEventSumw": [9.0], "genEventCount": [3]},
            "weights of its 3 events sum to 4, but .* states 9 for as many",
        ),
        ({"genEventSumw": [], "genEventCount": []}, "says that 0 were generated"),
        (
            {"genEventSumw": [8.0], "genEventSumw2": [13.0]},
            r"states a smaller sum of weights \(8\) or of their squares",
        ),
        ({"genEventSumw": [np.nan]}, "branch genEventSumw holds nan"),
    ],
)
def test_files_that_state_less_than_they_have(tmp_path, stated, message):
    stated = {name: np.array(values, float if "Sum" in name else int) for name, values in stated.items()}
    with pytest.raises(EventFileError, match=message):
        sums(tmp_path / "a.root", Runs=stated)


def test_positive_weights_sum_to_at_most_what_is_stated(tmp_path):
    with pytest.raises(EventFileError, match=r"states a smaller sum of weights \(5\)"):
        sums(tmp_path / "a.root", [1.0, 2.0, 3.0], Runs={"genEventSumw": [5.0]})
    assert sums(tmp_path / "b.root", [1.0, 2.0, 3.0], Runs={"genEventSumw": [6.0]}).sum_of_weights == 6.0
    negative = sums(tmp_path / "c.root", Runs={"genEventSumw": [1.0], "genEventCount": [9]})
    assert negative.sum_of_weights == 1.0  # with negative weights the sum of more events may be smaller


def test_rounding_of_sums_in_single_precision(tmp_path, rng):
    weights = rng.lognormal(3.0, 1.0, 5000).astype(np.float32)
    found = sums(
        tmp_path / "a.root", weights, Runs={"genEventSumw": [weights.sum() * 1.000001], "genEventCount": [5000]}
    )
    assert found.generated == 5000


def test_models_in_one_file(tmp_path):
    notes = Notes()
    sums(tmp_path / "a.root", notes=notes, Runs={"genEventSumw": [50.0], "genEventSumw_T2tt_600_1": [20.0]})
    assert "sums of weights of 1 models (genEventSumw_T2tt_600_1, ...)" in notes.warnings[0]


def test_files_with_and_without_sums(tmp_path):
    stating = sums(tmp_path / "a.root", Runs={"genEventSumw": [50.0]})
    silent = sums(tmp_path / "b.root")
    with pytest.raises(EventFileError, match=r"a\.root states the sum .*\(tree 'Runs'\), .*b\.root does not"):
        factor(silent, stating)


def test_sums_that_normalise_nothing(tmp_path):
    for weights in ([1.0, -1.0, 0.0], [-2.0, 1.0, 0.5]):
        with pytest.raises(EventFileError, match=r"weights sum to .* and cannot be normalised"):
            factor(sums(tmp_path / "a.root", weights))


def test_rows_that_were_merged_twice(tmp_path):
    twice = {"genEventSumw": [50.5, 50.5], "genEventCount": [20, 20]}
    _, _, notes = factor(sums(tmp_path / "a.root", Runs=twice))
    assert notes.warnings == [
        "the same sum of weights, 50.5 of 20 events, is stated 2 times: a file may have been merged twice, and then "
        "the events are normalised to too little"
    ]
    _, _, notes = factor(sums(tmp_path / "b.root", [2.0, 2.0, -2.0], Runs=twice))
    assert notes.warnings == []  # events of weights ±2: files of as many events state the same


def test_empty_files_of_a_sample(tmp_path):
    empty = sums(tmp_path / "a.root", [], Runs={"genEventSumw": [40.0], "genEventCount": [25]})
    full = sums(tmp_path / "b.root", Runs={"genEventSumw": [60.0], "genEventCount": [30]})
    scale, generated, _ = factor(empty, full)
    assert scale == pytest.approx(0.005)
    assert generated == 55


def test_large_weights_that_are_left_out(tmp_path):
    weights = [2.0, 1e12, 3.0]
    total = float(np.array(weights, np.float32).astype(float).sum())
    gone = frozenset({1})
    found = sums(tmp_path / "a.root", weights, left_out=gone, Runs={"genEventSumw": [total], "genEventCount": [3]})
    assert (found.generated, found.sum_of_weights) == (2, 5.0)
    for counts in ({"genEventCount": [9]}, {}):
        with pytest.raises(EventFileError, match=r"left out have 1e\+12 of the 1e\+12 .* is lost in rounding"):
            sums(tmp_path / "b.root", weights, left_out=gone, Runs={"genEventSumw": [total + 7.0], **counts})
