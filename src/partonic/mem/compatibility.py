"""Do the events of a store mean the same as those that the models were trained on?

The detector must be the same (columns, units, collider energy). The process may be another: under the hypothesis of a
process one asks for the probability of any event, data included.
"""

from typing import Protocol, runtime_checkable

from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.mem.integral.integrand import Ingredients
from partonic.polynomial import Monomials
from partonic.trained.schema_record import SchemaRecord

__all__ = ["Trained", "check_normalisation", "check_store"]


@runtime_checkable
class Trained(Protocol):
    """A model that knows which events it was trained on."""

    @property
    def schema(self) -> SchemaRecord: ...  # noqa: D102


def check_store(ingredients: Ingredients, metadata: StoreMetadata, where: str) -> None:
    """Check that all models were trained on events like those of a store.

    Args:
        ingredients: with the models.
        metadata: of the store.
        where: name of the store, for the message.

    Raises:
        SchemaError: naming what differs.
    """
    parts = (ingredients.proposal, ingredients.transfer, ingredients.acceptance, ingredients.initial_state)
    for part in parts:
        if isinstance(part, Trained):
            part.schema.model_copy(update={"process": metadata.process}).check(metadata, where)


def check_normalisation(name: str, monomials: Monomials, metadata: StoreMetadata, where: str) -> None:
    """Check that a store holds events of the process whose cross section is asked for.

    Raises:
        SchemaError: if it holds those of another, or with another dependence on θ.
    """
    if metadata.process != name:
        raise SchemaError(
            f"{where} holds events of '{metadata.process}', but the cross section of '{name}' is asked for: give a "
            "simulated store of that process (mem.normalisation.store)"
        )
    if metadata.monomials != monomials:
        raise SchemaError(
            f"{where} has coefficients of {', '.join(metadata.monomials.names)}, but the process '{name}' those of "
            f"{', '.join(monomials.names)}: simulate the events anew with this version"
        )
