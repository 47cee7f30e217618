"""The result of the step of inference, read again for people and programs that ask for it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from partonic.errors import InferenceError

__all__ = ["inference_result", "result_line"]


def inference_result(path: Path) -> dict[str, Any] | None:
    """Return the content of the result file of an inference, None if there is none.

    Raises:
        InferenceError: if it cannot be read.
    """
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError(f"expected a mapping, got a {type(content).__name__}")
        result_line(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InferenceError(f"the result {path} cannot be read ({error}); run `partonic infer` again") from error
    return content


def result_line(result: dict[str, Any]) -> str:
    """Return intervals and best fit in one line, with the errors of all causes and the luminosity.

    Of each theory parameter the interval of the lowest level with all errors is told first; an asterisk marks a best
    fit whose ± says something else than it.
    """
    found = result["best_fit"]
    intervals = result["intervals"]
    curves = result.get("settings", {}).get("curves", {})
    values = ", ".join(
        _told(name + _unit(curves.get(name, {})), found[name], intervals.get(name, ()))
        for name in found
        if found[name]["free"]
    )
    doubt = "" if result["valid"] else "; the fit is not valid"
    events = result["data"]["events"]
    return f"{values} ({events:.6g} events, {result['luminosity']:g} fb⁻¹){doubt}"


def _told(name: str, found: Mapping[str, Any], intervals: Sequence[Mapping[str, Any]]) -> str:
    fit = f"{found['value']:.4g} ± {_error(found['total'])}"
    of_all_errors = [each for each in intervals if each["kind"] == "total"]
    if not of_all_errors:
        return f"{name} = {fit}"
    lowest = min(of_all_errors, key=lambda each: float(each["level"]))
    where = " ∪ ".join(f"[{low:.4g}, {high:.4g}]" for low, high in lowest["segments"])
    mark = " (*)" if found["parabola_misleads"] else ""
    return f"{name} in {where} ({lowest['level']:.0%}), best fit {fit}{mark}"


def _unit(curve: Mapping[str, Any]) -> str:
    """Return the unit of an angle along a curve in brackets; nothing for other numbers."""
    unit = {"degrees": "°", "radians": "rad"}.get(curve.get("unit", ""), "")
    return f" [{unit}]" if unit else ""


def _error(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"
