"""Which of several named weights is the nominal one."""

from collections.abc import Sequence

from partonic.errors import EventFileError

__all__ = ["NOMINAL_NAMES", "nominal_position"]

NOMINAL_NAMES = ("default", "weight", "nominal", "", "0")
"""Names under which generators write the nominal weight (HepMC: Herwig and Pythia ``Default``, Sherpa ``Weight``,
MadGraph with Pythia an empty name, unnamed weights their number), in lower case."""


def nominal_position(names: Sequence[str], wanted: str | None, where: str) -> tuple[int, str]:
    """Return the position of the nominal weight, and a sentence that says how it was found.

    Args:
        names: names of the weights, in the order of the file; not empty.
        wanted: name that the user gives (`import.nominal_weight`), None for none.
        where: name of the file, for messages.

    Raises:
        EventFileError: if there is no weight of the wanted name, or several could be the nominal one.
    """
    if wanted is not None:
        places = [place for place, name in enumerate(names) if name == wanted]
        if len(places) != 1:
            known = ", ".join(f"'{name}'" for name in list(names)[:20])
            raise EventFileError(
                f"{where}: {len(places)} weights have the name '{wanted}' of import.nominal_weight; the file has: "
                f"{known}"
            )
        return places[0], f"'{wanted}', as configured"
    candidates = [place for place, name in enumerate(names) if name.strip().lower() in NOMINAL_NAMES]
    if len(candidates) > 1:
        found = ", ".join(f"'{names[place]}'" for place in candidates)
        raise EventFileError(
            f"{where}: the weights {found} could each be the nominal one: name it with import.nominal_weight"
        )
    if candidates:
        return candidates[0], f"'{names[candidates[0]]}', by its name"
    return 0, f"'{names[0]}', the first of {len(names)}, none of which has a name of nominal weights"
