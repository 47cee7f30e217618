"""From our configuration to Pythia's settings, refused one by one when Pythia does not know them.

Pythia itself goes on after a setting that it cannot read; here that is an error before any work, because a misspelt
setting would otherwise silently give other physics.
"""

from typing import Any

from partonic.config.simulation import DecayConfig, SimulationConfig
from partonic.errors import ConfigError, DependencyError

__all__ = ["configured_pythia", "settings_of"]

_FLAG_WORDS = {"on", "off", "true", "false", "yes", "no", "ok", "1", "0"}

_QUIET = ("Print:quiet = on",)
_MESSAGES_ONLY = (
    "Init:showProcesses = off",
    "Init:showMultipartonInteractions = off",
    "Init:showChangedSettings = off",
    "Init:showChangedParticleData = off",
)

_BASE = (
    "Next:numberShowEvent = 0",
    "Next:numberShowInfo = 0",
    "Next:numberShowProcess = 0",
    "Random:setSeed = on",
    # Particles that fly further than a centimetre (K0S, Lambda, ...) reach the detector, as in all LHC simulations.
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 10",
)

_HIGGS_PRODUCTS = {"bb": "5 -5", "tautau": "15 -15", "gammagamma": "22 22", "WW": "24 -24", "ZZ": "23 23"}
_LEPTONS = {"e": "11", "mu": "13", "tau": "15"}


def settings_of(config: SimulationConfig, seed: int, *, quiet: bool = True) -> tuple[str, ...]:
    """Return the settings of the shower, in the order in which Pythia reads them.

    Args:
        config: the simulation.
        seed: of the initialisation of Pythia; each chunk of events sets its own afterwards.
        quiet: let Pythia print nothing, not even why it fails.
    """
    tune = () if config.tune is None else (f"Tune:pp = {config.tune}",)
    return (
        *(_QUIET if quiet else _MESSAGES_ONLY),
        *_BASE,
        *tune,
        f"PartonLevel:MPI = {_word(config.multiparton_interactions)}",
        f"HadronLevel:all = {_word(config.hadronization)}",
        *_decays(config.decays),
        *config.pythia_settings,
        f"Random:seed = {seed}",
    )


def _decays(decays: DecayConfig) -> tuple[str, ...]:
    settings: tuple[str, ...] = ()
    if decays.higgs != "inclusive":
        settings = ("25:onMode = off", f"25:onIfMatch = {_HIGGS_PRODUCTS[decays.higgs]}")
    if decays.tops != "inclusive":
        settings += ("6:onMode = off", "6:onIfAny = 5")
    if decays.z != "inclusive":
        leptons = " ".join(_LEPTONS[name] for name in decays.leptons)
        products = {"leptonic": leptons, "hadronic": "1 2 3 4 5", "invisible": "12 14 16"}[decays.z]
        settings += ("23:onMode = off", f"23:onIfAny = {products}")
    return settings


def _word(flag: bool) -> str:
    return "on" if flag else "off"


def configured_pythia(config: SimulationConfig, seed: int, *, quiet: bool = True) -> Any:
    """Return a Pythia that has read all settings and is not initialised; for the arguments see `settings_of`.

    Raises:
        ConfigError: if Pythia rejects a setting; the message names it.
        DependencyError: if Pythia is not installed.
    """
    try:
        import pythia8mc
    except ImportError as error:
        raise DependencyError(f"the shower needs Pythia 8: pip install 'partonic[simulation]' ({error})") from error
    pythia = pythia8mc.Pythia("", False)
    for setting in settings_of(config, seed, quiet=quiet):
        _read(pythia, setting)
    return pythia


def _read(pythia: Any, setting: str) -> None:
    key, _, value = (part.strip() for part in setting.partition("="))
    if not pythia.readString(setting, False):
        raise ConfigError(
            f"Pythia rejects the setting '{setting}': the name is unknown, or the value is of the wrong type or out of "
            "range. Look it up in the Pythia manual (https://pythia.org), or remove it from simulation.pythia_settings"
        )
    if pythia.settings.isFlag(key) and value.lower() not in _FLAG_WORDS:
        raise ConfigError(f"the Pythia setting '{setting}' must be on or off, got '{value}'")
