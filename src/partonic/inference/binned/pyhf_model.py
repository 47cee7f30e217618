"""An exported workspace evaluated with pyhf at any θ: norm factors tied to θ, the other parameters profiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from partonic.errors import DependencyError, InferenceError, ParameterError
from partonic.inference.binned.pyhf_workspace import MorphedWorkspace

__all__ = ["MorphedModel", "PyhfProfile"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PyhfProfile:
    """The maximum of pyhf's likelihood at one θ.

    Attributes:
        log_likelihood: its value, with the constants of pyhf.
        parameters: all parameters of pyhf there, by name; vectors for those of each bin.
    """

    log_likelihood: float
    parameters: Mapping[str, tuple[float, ...]]


class MorphedModel:
    """pyhf's model of a workspace, as a function of θ.

    Attributes:
        morphed: the workspace.
        model: of pyhf.
    """

    def __init__(self, morphed: MorphedWorkspace) -> None:
        """Build the model of the first measurement.

        Raises:
            DependencyError: if pyhf is not installed.
            InferenceError: if the workspace does not follow the schema of pyhf.
        """
        pyhf = _pyhf()
        try:
            self._workspace = pyhf.Workspace(morphed.workspace)
        except pyhf.exceptions.InvalidSpecification as error:
            raise InferenceError(
                f"the workspace does not follow the schema of pyhf: {error}; export it again"
            ) from error
        self.morphed = morphed
        self.model: Any = self._workspace.model()

    def parameters(self, theta: Array, others: Mapping[str, float] | None = None) -> Array:
        """Return pyhf's parameters at one θ `(K,)`, those not named in `others` at their start values.

        Raises:
            ParameterError: if a name is unknown or one of the norm factors that θ sets.
        """
        values: Array = np.array(self.model.config.suggested_init(), dtype=np.float64)
        for name, value in (others or {}).items():
            if name not in self.model.config.par_map or name in self.morphed.normfactor_names:
                free = [key for key in self.model.config.par_map if key not in self.morphed.normfactor_names]
                raise ParameterError(f"unknown parameter '{name}' beside θ; the workspace has {', '.join(free)}")
            values[self.model.config.par_slice(name)] = value
        for name, weight in zip(self.morphed.normfactor_names, self.morphed.weights(theta), strict=True):
            values[self.model.config.par_slice(name)] = weight
        return values

    def expected(self, theta: Array, others: Mapping[str, float] | None = None) -> Array:
        """Return the expected numbers of events of the bins at one θ `(K,)`, `(J,)`."""
        values = self.model.expected_data(self.parameters(theta, others).tolist(), include_auxdata=False)
        return np.asarray(values, dtype=np.float64)

    def log_likelihood(
        self, theta: Array, counts: Array | None = None, others: Mapping[str, float] | None = None
    ) -> float:
        """Return log L with the constraints at one θ `(K,)`.

        Args:
            theta: the point.
            counts: numbers of events `(J,)`; by default those of the workspace.
            others: values of parameters beside θ; start values where not named.
        """
        value = self.model.logpdf(self.parameters(theta, others).tolist(), self._data(counts))
        return float(np.asarray(value).reshape(-1)[0])

    def profile(self, theta: Array, counts: Array | None = None) -> PyhfProfile:
        """Return the highest log L at one θ `(K,)` over all parameters that are not fixed.

        Raises:
            InferenceError: if the minimisation of pyhf fails.
        """
        pyhf, config = _pyhf(), self.model.config
        start, fixed = self.parameters(theta), np.array(config.suggested_fixed())
        if fixed.all():
            return PyhfProfile(self.log_likelihood(theta, counts), self._named(start))
        try:
            found, twice = pyhf.infer.mle.fit(
                self._data(counts), self.model, start.tolist(), config.suggested_bounds(), fixed.tolist(),
                return_fitted_val=True,
            )  # fmt: skip
        except pyhf.exceptions.FailedMinimization as error:
            raise InferenceError(f"pyhf cannot fit the workspace at θ = {theta.tolist()}: {error}") from error
        return PyhfProfile(-0.5 * float(np.asarray(twice).reshape(-1)[0]), self._named(np.asarray(found)))

    def _data(self, counts: Array | None) -> list[float]:
        if counts is None:
            return list(self._workspace.data(self.model))
        return [*counts.tolist(), *self.model.config.auxdata]

    def _named(self, values: Array) -> dict[str, tuple[float, ...]]:
        config = self.model.config
        return {name: tuple(values[config.par_slice(name)].tolist()) for name in config.par_map}


def _pyhf() -> Any:
    try:
        import pyhf
    except ImportError as error:
        raise DependencyError(f"workspaces need pyhf: pip install 'partonic[inference]' ({error})") from error
    return pyhf
