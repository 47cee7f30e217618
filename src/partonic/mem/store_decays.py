"""Which decays the events of a store were simulated with, and whether they have the objects of a decay channel."""

from partonic.errors import SchemaError
from partonic.events.schema import StoreMetadata
from partonic.features.decay_channel import DECAY_CHANNELS, DecayChannel

__all__ = ["check_objects", "decay_channel_of_store"]


def decay_channel_of_store(metadata: StoreMetadata) -> DecayChannel:
    """Return the decay channel of simulated events; those of others are taken for semileptonic ones with H → jets.

    Raises:
        ProcessError: if the tops decay inclusively, or the partons have no decay channel.
    """
    decays = metadata.config.get("simulation", {}).get("decays", {})
    return DecayChannel.of_decays(decays.get("tops", "semileptonic"), metadata.parton_pdg, decays.get("higgs", "bb"))


def check_objects(decay_channel: DecayChannel, metadata: StoreMetadata, where: str) -> None:
    """Check that events of a store can have the objects of a decay channel.

    Events of any process may be asked about; those of the partons of the decay channel itself must have its decays.

    Args:
        decay_channel: that of the hypothesis.
        metadata: of the store.
        where: name of the store, for the message.

    Raises:
        SchemaError: if the store has no photons and the decay channel has, or its own partons decayed otherwise.
    """
    if decay_channel.photons and not metadata.photons:
        raise SchemaError(
            f"{where} has no photons, of which the hypothesis asks for {decay_channel.photons}: simulate the events "
            f"with simulation.selection.photons: {decay_channel.photons}, or read them from files that have photons"
        )
    tops = metadata.config.get("simulation", {}).get("decays", {}).get("tops")
    if tops not in DECAY_CHANNELS or tuple(metadata.parton_pdg) != decay_channel.parton_pdg:
        return
    found = decay_channel_of_store(metadata)
    if found != decay_channel:
        raise SchemaError(
            f"{where} holds events of the decays {_words(found)}, but the hypothesis is {_words(decay_channel)}: set "
            "simulation.decays of the analysis to those of the store, or give another store"
        )


def _words(decay_channel: DecayChannel) -> str:
    return f"'{decay_channel.name}' of the tops" + (
        f" and H to {decay_channel.higgs}" if 25 in decay_channel.parton_pdg else ""
    )
