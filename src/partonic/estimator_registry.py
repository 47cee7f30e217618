"""Which makers of coefficients a fit can name: those of the package, and those of installed packages.

Another package brings one by an entry point of the group ``partonic.estimators`` that names its `EstimatorEntry`. A
fit reads the file that the estimator left (`partonic.estimators.run`); only what is there with the events themselves,
like parton truth, needs none.
"""

import importlib.metadata
from dataclasses import dataclass, replace
from functools import cache

from partonic.errors import InferenceError

__all__ = ["EstimatorEntry", "estimator_names", "family_of", "find_estimator", "is_estimator"]

_GROUP = "partonic.estimators"


@dataclass(frozen=True)
class EstimatorEntry:
    """What is known of an estimator without loading it.

    Attributes:
        name: as `source` of its coefficients.
        summary: one line.
        has_file: whether its coefficients are in a file; if not, they are taken from simulated events themselves.
        has_densities: whether it gives densities of x that can be compared between processes, as backgrounds need.
        has_components: whether it gives them of further processes that depend on θ, too.
        has_variants: whether an analysis may have several of it, ``<name>.<variant>``.
    """

    name: str
    summary: str
    has_file: bool = True
    has_densities: bool = True
    has_components: bool = True
    has_variants: bool = False


_OWN = (
    EstimatorEntry("mem", "the matrix element method with trained models"),
    EstimatorEntry("classical", "the matrix element method with parametric transfer functions"),
    EstimatorEntry(
        "truth", "parton truth of simulated events, the bound of what any method can reach", has_file=False,
        has_densities=False,
    ),
    EstimatorEntry(
        "sbi", "networks that learn likelihood ratios from simulated events", has_components=False, has_variants=True
    ),
)  # fmt: skip


def estimator_names() -> tuple[str, ...]:
    """Return the names of all estimators, those of the package first."""
    own = tuple(entry.name for entry in _OWN)
    return (*own, *sorted(set(_entry_points()) - set(own)))


def family_of(name: str) -> str:
    """Return the estimator that a name is a variant of: ``sbi`` of ``sbi.trees``; the name itself if it is none."""
    base, dot, variant = name.partition(".")
    has_variants = any(entry.name == base and entry.has_variants for entry in _OWN)
    return base if has_variants and dot and variant else name


def is_estimator(name: str) -> bool:
    """Return whether a name is that of an estimator, or of a variant of one."""
    return family_of(name) in estimator_names()


def find_estimator(name: str) -> EstimatorEntry:
    """Return what is known of an estimator, or of a variant of one.

    Raises:
        InferenceError: if there is none of this name, or another package's entry cannot be loaded.
    """
    for entry in _OWN:
        if entry.name == family_of(name):
            return replace(entry, name=name)
    if name not in _entry_points():
        raise InferenceError(f"there is no estimator '{name}'; known: {', '.join(estimator_names())}")
    point = _entry_points()[name]
    try:
        found = point.load()
    except (ImportError, AttributeError) as error:
        raise InferenceError(f"the estimator '{name}' ({point.value}) cannot be loaded: {error}") from error
    if not isinstance(found, EstimatorEntry) or found.name != name:
        raise InferenceError(
            f"the entry point '{name}' of the group {_GROUP} must name an EstimatorEntry '{name}', got {found!r}"
        )
    return found


@cache
def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=_GROUP)}
