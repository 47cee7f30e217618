"""The result of the step of inference, read again for people and programs that ask for it."""

import json
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
    """Return the best fit in one line, with the errors of all causes and the luminosity."""
    found = result["best_fit"]
    values = ", ".join(
        f"{name} = {found[name]['value']:.4g} ± {_error(found[name]['total'])}" for name in found if found[name]["free"]
    )
    doubt = "" if result["valid"] else "; the fit is not valid"
    events = result["data"]["events"]
    return f"{values} ({events:.6g} events, {result['luminosity']:g} fb⁻¹){doubt}"


def _error(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2g}"
