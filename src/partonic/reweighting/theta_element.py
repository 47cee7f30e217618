"""|M|² of a model as a function of θ: parameters of the model follow θ as the settings say."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from partonic.config.reweighting import ModelParameter
from partonic.errors import ParameterError
from partonic.physics.amplitudes.amplitude import ColourFlow, SquaredMatrixElement

__all__ = ["ThetaElement", "check_neighbours"]


class ThetaElement:
    """A `SquaredMatrixElement` whose parameters are θ, and α_s under its name in the model.

    Args:
        element: |M|² of the model.
        followers: for each θ the parameters of the model that follow it.
        strong_coupling: name of α_s in the model; None if it is left as it is.

    Attributes:
        particles, colour_flows: those of `element`.

    Raises:
        ParameterError: if the model lacks a parameter.
    """

    def __init__(
        self,
        element: SquaredMatrixElement,
        followers: Mapping[str, Sequence[ModelParameter]],
        strong_coupling: str | None,
    ) -> None:
        self._element, self._followers, self._strong_coupling = element, followers, strong_coupling
        self._theta = dict.fromkeys(followers, 0.0)
        known = element.parameters
        if strong_coupling is not None and strong_coupling not in known:
            raise ParameterError(
                f"the model has no parameter '{strong_coupling}' for α_s; it has: {', '.join(sorted(known))}. Name it "
                "with strong_coupling, or set that to null for a process without the strong interaction"
            )
        self.set_parameters({})

    @property
    def particles(self) -> tuple[int, ...]:
        """PDG identifiers of the two initial and then the final particles."""
        return self._element.particles

    @property
    def colour_flows(self) -> tuple[ColourFlow, ...]:
        """The colour flows of the model's matrix element."""
        return self._element.colour_flows

    @property
    def parameters(self) -> dict[str, float]:
        """θ, and α_s if it can be changed."""
        if self._strong_coupling is None:
            return dict(self._theta)
        return {**self._theta, self._strong_coupling: self._element.parameters[self._strong_coupling]}

    def set_parameters(self, values: Mapping[str, float]) -> None:
        """Give θ and α_s new values.

        Raises:
            ParameterError: if a name is neither, or the model refuses a value.
        """
        if unknown := sorted(set(values) - self._theta.keys() - {self._strong_coupling}):
            raise ParameterError(f"'{unknown[0]}' is no θ of the reweighting; it has: {', '.join(self._theta)}")
        self._theta |= {name: value for name, value in values.items() if name in self._theta}
        of_model = {
            each.name: each.offset + each.factor * self._theta[name]
            for name, group in self._followers.items()
            for each in group
        }
        if self._strong_coupling in values:
            of_model[str(self._strong_coupling)] = values[str(self._strong_coupling)]
        self._element.set_parameters(of_model)

    def squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, " events"]:
        """Return |M|² in GeV^(4−2n), averaged over initial and summed over final spins and colours."""
        return self._element.squared(momenta)

    def flow_squared(self, momenta: Float[Tensor, "events particles 4"]) -> Float[Tensor, "events flows"]:
        """Return the leading-colour |M|² of each colour flow."""
        return self._element.flow_squared(momenta)


def check_neighbours(
    parameters: Mapping[str, float],
    blocks: Mapping[str, str],
    followers: Mapping[str, Sequence[ModelParameter]],
    stated: Mapping[str, float],
) -> None:
    """Refuse coefficients that are on, but that nobody mentioned.

    Cards of effective theories give all coefficients a value that is not zero, so that no vertex is removed. Those that
    share the block of the card with a θ must therefore be zero, or be stated.

    Args:
        parameters: of the model, with their values.
        blocks: their blocks, as far as known.
        followers: for each θ the parameters that follow it.
        stated: values given by the user.

    Raises:
        ParameterError: naming them.
    """
    own = {each.name for group in followers.values() for each in group}
    of_theta = {blocks[name] for name in own if name in blocks}
    silent = {
        name: value
        for name, value in parameters.items()
        if value and blocks.get(name) in of_theta and name not in own and name not in stated
    }
    if silent:
        listed = ", ".join(f"{name}: {value:g}" for name, value in sorted(silent.items()))
        raise ParameterError(
            f"the model has further parameters beside those of θ that are not zero: {{{listed}}}. Say what they are to "
            "be with `values`, e.g. 0 for a coefficient that a card only switches on"
        )
