"""Whether a simulation asks for events such as a surrogate learned: what it cannot honour is refused."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from partonic.config.simulation import SimulationConfig
from partonic.errors import ConfigError
from partonic.mem.transfer.layout import TransferLayout

__all__ = ["check_settings", "learned_settings"]

_NOT_LEARNED: Final = (
    "surrogate", "fractional_smearing", "chunk_events", "shower_attempts", "max_failed_fraction", "level",
)  # fmt: skip
"""Settings that are not of the events, or that a surrogate honours whatever it learned."""

_OF_LAYOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "jets": ("pt_min", "eta_max", "max_jets"),
    "selection": (
        "leptons", "lepton_pt_min", "lepton_eta_max", "photons", "photons_min", "photon_pt_min", "photon_eta_max",
        "jets_min", "b_tags_min",
    ),
}  # fmt: skip
"""Settings that a layout tells."""


def learned_settings(simulation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the events of a simulation depend on, as this version writes it.

    Args:
        simulation: the section of the analysis that made a store, as it stands in the metadata.
    """
    config = SimulationConfig.model_validate(dict(simulation))
    whole = {**config.physics(), "photons": config.with_photons}
    return {name: value for name, value in whole.items() if name not in _NOT_LEARNED}


def check_settings(
    simulation: SimulationConfig, layout: TransferLayout, learned: Mapping[str, Any] | None, where: str
) -> None:
    """Check that a simulation asks for the decays, detector, jets and cuts that a surrogate learned.

    Args:
        simulation: the section, with the decays in use for the process.
        layout: partons, objects and cuts of the networks.
        learned: `learned_settings` of the events that it learned; None where they are not known: then everything that
            the layout does not tell must have its default.
        where: the model, for the message.

    Raises:
        ConfigError: naming every setting that differs, with what the surrogate knows.
        ProcessError: if the decays have no decay channel.
    """
    wanted = TransferLayout.of(simulation, layout.parton_pdg)
    found, known = asdict(wanted), asdict(layout)
    differences = [
        f"{name}: {found[name]!r}, the surrogate knows {known[name]!r}" for name in found if found[name] != known[name]
    ]
    asked = learned_settings(simulation.model_dump(mode="json"))
    expected = _default_beside(simulation) if learned is None else learned_settings(learned)
    differences += [
        f"simulation.{name}: {one!r}, the surrogate knows {other!r}" for name, one, other in _different(asked, expected)
    ]
    if differences:
        raise ConfigError(
            f"the surrogate {where} did not learn such events: {'; '.join(dict.fromkeys(differences))}. Set these as "
            "the surrogate knows them, train one on such events (section `surrogate_training`), or leave out "
            "simulation.surrogate, so that they are simulated"
        )


def _default_beside(simulation: SimulationConfig) -> dict[str, Any]:
    """Return the settings of a simulation, all but decays and what a layout tells at their defaults."""
    content: dict[str, Any] = {"decays": simulation.decays.settings_in_use(), "photons": simulation.photons}
    for section, names in _OF_LAYOUT.items():
        own = getattr(simulation, section)
        content[section] = {name: getattr(own, name) for name in names}
    content["selection"]["veto_pt_min"] = min(15.0, simulation.selection.lepton_pt_min)
    return learned_settings(content)


def _different(asked: Mapping[str, Any], known: Mapping[str, Any], above: str = "") -> list[tuple[str, Any, Any]]:
    """Return name, value and known value of all settings that differ."""
    found: list[tuple[str, Any, Any]] = []
    for name in sorted({*asked, *known}):
        one, other = asked.get(name), known.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += _different(one, other, f"{above}{name}.")
        elif one != other:
            found.append((f"{above}{name}", one, other))
    return found
