"""Templates as a pyhf workspace, with their quadratic dependence on θ kept exact.

HistFactory (CERN-OPEN-2012-016) knows samples that are multiplied by parameters, but no polynomial of parameters. The
yields Σ_a m_a(θ) t_a are therefore written in a morphing basis of A points θ_b: the sample of each point has the yields
T_b = Σ_a m_a(θ_b) t_a there, and

    Σ_a m_a(θ) t_a = Σ_b w_b(θ) T_b,    Σ_b w_b(θ) m_a(θ_b) = m_a(θ),

with one norm factor w_b for each sample. This is exact at every θ. That the A norm factors are functions of K < A
parameters is what the format cannot say: they are fixed in the file, for each measurement to the values of one θ, and
whoever uses it at another θ sets them to `MorphedWorkspace.normfactors` and leaves them fixed
(`partonic.inference.binned.pyhf_model` does it, and profiles the rest). Left free, they would be A independent
parameters, another model. Some w_b are negative; their sum is what counts.

Luminosity and backgrounds have Gaussian constraints, as in `partonic.inference.likelihood.mixture`; a background's
normalisation n_b = 1 + δα is a `histosys` whose variations are symmetric, since `normsys` would make it exponential.
The statistical errors of signal and of each background have a `staterror` of their own, relative errors taken at a
given θ.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import EventFileError, ParameterError
from partonic.files import write_json
from partonic.inference.binned.templates import BackgroundTemplate, Templates
from partonic.inference.likelihood.mixture import SIGNAL_STRENGTH, Mixture
from partonic.polynomial import Monomials, morphing_basis

__all__ = ["NOMINAL", "MorphedWorkspace", "export_workspace", "natural_basis"]

Array = NDArray[np.float64]
Json = dict[str, Any]

NOMINAL = "standard_model"
"""Name of the measurement at θ = 0."""

_CHANNEL = "bins"
_LUMI = "lumi"
_BOUND = 1e6


@dataclass(frozen=True)
class MorphedWorkspace:
    """A pyhf workspace and what ties its norm factors together.

    Attributes:
        workspace: content of the JSON file, by the schema of pyhf.
        monomials: the A monomials of θ.
        basis: points θ_b, `(A, K)`.
    """

    workspace: Json
    monomials: Monomials
    basis: Array

    @property
    def normfactor_names(self) -> tuple[str, ...]:
        """Names of the norm factors w_b."""
        return _normfactor_names(len(self.basis))

    def weights(self, theta: Array) -> Array:
        """Return w_b(θ) at points `(..., K)`, as `(..., A)`."""
        column = self.monomials.evaluate(theta)[..., None]
        weights: Array = np.asarray(np.linalg.solve(self.monomials.evaluate(self.basis).T, column)[..., 0])
        return weights

    def normfactors(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return what the norm factors must be set to at given theory parameters (0 where not named).

        Raises:
            ParameterError: if a parameter is unknown.
        """
        weights = self.weights(self.monomials.point(values)).tolist()
        return dict(zip(self.normfactor_names, weights, strict=True))

    def write(self, path: Path) -> Path:
        """Write the workspace to `path`, and parameters, monomials and basis beside it; return the second file.

        Raises:
            OutputError: if a file cannot be written.
        """
        record = {
            "parameters": self.monomials.parameters,
            "exponents": self.monomials.exponents,
            "basis": self.basis.tolist(),
            "normfactors": self.normfactor_names,
            "inverse_matrix": np.linalg.inv(self.monomials.evaluate(self.basis)).T.tolist(),
            "use": "normfactors = inverse_matrix @ monomials(theta); keep them fixed in every fit",
        }
        beside = _beside(path)
        write_json(path, self.workspace)
        write_json(beside, record)
        return beside

    @classmethod
    def read(cls, path: Path) -> "MorphedWorkspace":
        """Read what `write` wrote.

        Raises:
            EventFileError: if one of the two files is missing or not what it should be.
        """
        try:
            workspace, record = (json.loads(each.read_text(encoding="utf-8")) for each in (path, _beside(path)))
            exponents = tuple(tuple(powers) for powers in record["exponents"])
            monomials = Monomials(tuple(record["parameters"]), exponents)
            basis = np.array(record["basis"], dtype=np.float64).reshape(len(monomials), -1)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EventFileError(
                f"cannot read the workspace {path} and its {_beside(path).name}: {error}; export them again"
            ) from error
        return cls(workspace, monomials, basis)


def export_workspace(
    templates: Templates,
    counts: Array,
    mixture: Mixture,
    measurements: Mapping[str, Mapping[str, float]] | None = None,
    errors_at: Mapping[str, float] | None = None,
    basis: Array | None = None,
) -> MorphedWorkspace:
    """Write templates and numbers of events as a pyhf workspace.

    Args:
        templates: signal and backgrounds in J bins.
        counts: observed numbers of events, or expected ones, `(J,)`.
        mixture: luminosity, uncertainties and whether the signal strength is fitted (`binned_mixture`).
        measurements: further measurements, with the norm factors of other theory parameters, by name.
        errors_at: theory parameters at which the statistical errors of the signal are taken; default θ = 0.
        basis: morphing points `(A, K)`; by default `natural_basis`.

    Raises:
        ParameterError: if shapes or names do not fit, or theory parameters have Gaussian constraints.
        InferenceError: if there are events in a bin that is empty for all θ.
    """
    if mixture.theta_constraints:
        msg = "a pyhf workspace cannot hold Gaussian constraints on theory parameters: leave them out"
        raise ParameterError(msg)
    templates.require_expected(counts)
    points = natural_basis(templates) if basis is None else basis
    samples = _signal_samples(templates, mixture, points, templates.monomials.point(errors_at or {}))
    samples += [_background_sample(background, mixture) for background in templates.backgrounds]
    morphed = MorphedWorkspace({}, templates.monomials, points)
    named = {NOMINAL: {}, **(measurements or {})}
    morphed.workspace.update(
        channels=[{"name": _CHANNEL, "samples": samples}],
        observations=[{"name": _CHANNEL, "data": counts.tolist()}],
        measurements=[_measurement(name, morphed.normfactors(values), mixture) for name, values in named.items()],
        version="1.0.0",
    )
    return morphed


def natural_basis(templates: Templates) -> Array:
    """Return morphing points at which the quadratic terms are about as large as the constant one, `(A, K)`."""
    total, monomials = templates.signal.sum(axis=0), templates.monomials
    scales = {}
    for name in monomials.parameters:
        squared = tuple(int(2 * power) for power in monomials.point({name: 1.0}))
        size = total[monomials.exponents.index(squared)] if squared in monomials.exponents else 0.0
        scales[name] = float(np.sqrt(total[0] / size)) if size > 0 and total[0] > 0 else 1.0
    return morphing_basis(monomials, scales)


def _signal_samples(templates: Templates, mixture: Mixture, basis: Array, errors_at: Array) -> list[Json]:
    yields = templates.signal_yields(basis, mixture.luminosity)
    at_point = templates.signal_yields(errors_at, mixture.luminosity)
    total = yields.sum(axis=0)
    known = (total > 0) & (at_point > 0)  # pyhf fixes the factor of a bin without uncertainty
    relative = np.where(known, templates.signal_errors(errors_at, mixture.luminosity) / np.where(known, at_point, 1), 0)
    # pyhf takes √(Σ uncertainties²)/Σ nominal over the samples that share a `staterror`; all of them share one factor
    uncertainties = (relative * total / np.sqrt(len(basis))).tolist()
    return [
        {
            "name": f"signal_{number}",
            "data": data.tolist(),
            "modifiers": [
                {"name": name, "type": "normfactor", "data": None},
                {"name": SIGNAL_STRENGTH, "type": "normfactor", "data": None},
                {"name": "template_error_signal", "type": "staterror", "data": uncertainties},
                *_luminosity(mixture),
            ],
        }
        for number, (name, data) in enumerate(zip(_normfactor_names(len(basis)), yields, strict=True))
    ]


def _background_sample(background: BackgroundTemplate, mixture: Mixture) -> Json:
    data = mixture.per_picobarn * background.cross_sections
    name, modifiers = f"{background.name}_normalisation", _luminosity(mixture)
    if background.uncertainty is None:
        modifiers.append({"name": name, "type": "normfactor", "data": None})
    elif background.uncertainty > 0:
        ends = {f"{end}_data": (data * (1 + sign * background.uncertainty)).tolist()
                for end, sign in (("lo", -1), ("hi", 1))}  # fmt: skip
        modifiers.append({"name": name, "type": "histosys", "data": ends})
    if background.variances.any():
        errors = (mixture.per_picobarn * np.sqrt(background.variances)).tolist()
        modifiers.append({"name": f"template_error_{background.name}", "type": "staterror", "data": errors})
    return {"name": background.name, "data": data.tolist(), "modifiers": modifiers}


def _luminosity(mixture: Mixture) -> list[Json]:
    return [{"name": _LUMI, "type": "lumi", "data": None}] if mixture.luminosity_uncertainty else []


def _measurement(name: str, normfactors: Mapping[str, float], mixture: Mixture) -> Json:
    parameters: list[Json] = [
        {"name": factor, "inits": [value], "bounds": [[-_BOUND, _BOUND]], "fixed": True}
        for factor, value in normfactors.items()
    ]
    strength = {"name": SIGNAL_STRENGTH, "inits": [1.0], "bounds": [[0.0, 10.0]]}
    parameters.append({**strength, "fixed": not mixture.free_signal_strength})
    if width := mixture.luminosity_uncertainty:
        bounds = [[max(1.0 - 10 * width, 0.0), 1.0 + 10 * width]]
        parameters.append({"name": _LUMI, "inits": [1.0], "auxdata": [1.0], "sigmas": [width], "bounds": bounds})
    return {"name": name, "config": {"poi": SIGNAL_STRENGTH, "parameters": parameters}}


def _normfactor_names(count: int) -> tuple[str, ...]:
    return tuple(f"morphing_{number}" for number in range(count))


def _beside(path: Path) -> Path:
    return path.with_suffix(".morphing.json")
