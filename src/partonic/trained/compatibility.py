"""Do events mean what trained models take them for? Detector, process and dependence on θ are asked for one by one.

The detector must always be the same (columns, units, collider energy). The process may be another where one asks for
the density of any event under the hypothesis of a process, data included. Where cross sections or coefficients are
taken from simulated events, process and monomials must be the same, too.
"""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.polynomial import Monomials
from partonic.trained.schema_record import SchemaRecord

__all__ = ["KnowsItsEvents", "check_detector", "check_process", "check_theory"]


@runtime_checkable
class KnowsItsEvents(Protocol):
    """A model that knows which events it was trained on."""

    @property
    def schema(self) -> SchemaRecord: ...  # noqa: D102


def check_detector(models: Iterable[object], metadata: StoreMetadata, where: str) -> None:
    """Check that all models were trained on events of the detector and collider of a store; its process may be another.

    Args:
        models: trained models; those that do not know their events, and None, fit to any.
        metadata: of the store.
        where: name of the store, for the message.

    Raises:
        SchemaError: naming what differs.
    """
    for model in models:
        if isinstance(model, KnowsItsEvents):
            model.schema.check_detector(metadata, where)


def check_process(what: str, model: object, process: str, remedy: str) -> None:
    """Check that a model was trained on events of the process that is asked for.

    Args:
        what: name of the model, for the message.
        model: the model; one that does not know its events, and None, fit to any.
        process: short name of the process.
        remedy: what to do about a model of another one.

    Raises:
        SchemaError: if it was trained on events of another one.
    """
    if isinstance(model, KnowsItsEvents) and model.schema.process != process:
        raise SchemaError(
            f"the {what} was trained on events of '{model.schema.process}', but the hypothesis is '{process}': {remedy}"
        )


def check_theory(process: str, monomials: Monomials, metadata: StoreMetadata, where: str, remedy: str) -> None:
    """Check that the coefficients of simulated events are those of a process, in its parameters.

    Args:
        process: short name of the process.
        monomials: of its parameters.
        metadata: of the store of the events.
        where: name of the store, for the message.
        remedy: what to do about a store of another process.

    Raises:
        SchemaError: if the store holds events of another process, or with another dependence on θ.
    """
    if metadata.process != process:
        raise SchemaError(
            f"{where} holds events of '{metadata.process}', but the cross section of '{process}' is asked for: {remedy}"
        )
    if metadata.monomials != monomials:
        raise SchemaError(
            f"{where} has coefficients of {', '.join(metadata.monomials.names)}, but the process '{process}' those of "
            f"{', '.join(monomials.names)}: simulate the events anew with this version"
        )
