"""From the settings of an inference and cross sections to what is fitted."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from partonic.config.curves import CircleConfig, CurveConfig
from partonic.config.inference import BackgroundConfig, ComponentConfig, InferenceConfig
from partonic.errors import InferenceError
from partonic.inference.coefficients.coefficients_file import CoefficientsMetadata
from partonic.inference.coefficients.rate import FiducialRate
from partonic.inference.likelihood.components import BackgroundRate, SignalComponent
from partonic.inference.likelihood.mixture import Mixture
from partonic.inference.likelihood.parameter_map import Curve, Term, affine

__all__ = ["curve_of", "mixture_of", "truth_on_curves", "with_nominal"]


def mixture_of(
    config: InferenceConfig,
    rate: FiducialRate,
    components: Sequence[CoefficientsMetadata],
    backgrounds: Sequence[CoefficientsMetadata],
    standard_model: Mapping[str, float],
) -> Mixture:
    """Return signal, components and backgrounds with their parameters.

    Args:
        config: the settings.
        rate: of the signal.
        components: what travels with the coefficients under each further component, in the order of the settings.
        backgrounds: the same under each background.
        standard_model: values of theory parameters in the Standard Model, 0 where not named.

    Raises:
        InferenceError: if a cross section is not known.
        ParameterError: if a theory parameter is unknown, or a map cannot be read.
    """
    curves = tuple(curve_of(name, section) for name, section in config.curves.items())
    signals = tuple(
        _component(name, section, facts)
        for (name, section), facts in zip(config.components.items(), components, strict=True)
    )
    added = [name for each in signals for name in each.own_parameters]
    everything = tuple(dict.fromkeys([*rate.monomials.parameters, *added]))
    on_curves = {name for curve in curves for name in curve.terms}
    theory = (*(name for name in everything if name not in on_curves), *config.curves)
    fitted = tuple(name for name in theory if name not in config.fixed)
    return Mixture(
        signal=rate,
        backgrounds=tuple(
            _background(name, section, facts)
            for (name, section), facts in zip(config.backgrounds.items(), backgrounds, strict=True)
        ),
        luminosity=config.luminosity,
        luminosity_uncertainty=config.luminosity_uncertainty,
        fitted=fitted if config.parameters is None else config.parameters,
        fixed_values=config.fixed,
        free_signal_strength=config.signal_strength == "free",
        theta_constraints={name: (each.centre, each.width) for name, each in config.constraints.items()},
        components=signals,
        curves=curves,
        standard_model={name: value for name, value in standard_model.items() if name in everything},
    )


def curve_of(name: str, section: CurveConfig) -> Curve:
    """Return the curve that a section describes."""
    if not isinstance(section, CircleConfig):
        constants = {each: powers[0] if powers else 0.0 for each, powers in section.coefficients.items()}
        terms = {
            each: tuple(Term(name, factor, power=p) for p, factor in enumerate(powers) if p and factor)
            for each, powers in section.coefficients.items()
        }
        return Curve(name, constants, terms, section.nominal)
    turn = 360.0 if section.unit == "degrees" else 2 * math.pi
    unit = 2 * math.pi / turn
    around = {}
    for each in section.on_it():
        cosine = [Term(name, section.cosine[each], "cos", unit=unit)] if each in section.cosine else []
        sine = [Term(name, section.sine[each], "sin", unit=unit)] if each in section.sine else []
        around[each] = (*cosine, *sine)
    return Curve(name, section.centre, around, section.nominal, turn)


def with_nominal(mixture: Mixture, values: Mapping[str, float]) -> dict[str, float]:
    """Return a point of theory parameters with those that are not named and not 0 at their nominal values."""
    nominal = dict(zip(mixture.theory, mixture.point()[: mixture.theory_count].tolist(), strict=True))
    return {name: value for name, value in nominal.items() if value} | dict(values)


def truth_on_curves(mixture: Mixture, theta: Mapping[str, float]) -> dict[str, float] | None:
    """Return the point of the fit at which the signal has θ; None where curves at their nominal place have another θ.

    Args:
        mixture: what is fitted.
        theta: values of parameters of the signal, 0 where not named.
    """
    names = mixture.signal.monomials.parameters
    full = dict.fromkeys(names, 0.0) | dict(theta)
    values = {name: value for name, value in full.items() if name in mixture.theory}
    stated = {
        name: value for name, value in values.items() if name in theta or value != mixture.standard_model.get(name, 0.0)
    }
    if not mixture.curves:
        return stated
    found = mixture.theta(mixture.point(values))
    return stated if np.allclose(found, [full[name] for name in names], atol=1e-9) else None


def _component(name: str, section: ComponentConfig, metadata: CoefficientsMetadata) -> SignalComponent:
    if metadata.cross_section is None:
        raise InferenceError(
            f"the cross section of the component '{name}' is not known: its coefficients carry none; make them with "
            "`partonic mem`, which states it"
        )
    rate = FiducialRate.from_record(metadata.monomials, metadata.cross_section)
    return SignalComponent(name, rate, section.uncertainty, {each: affine(text) for each, text in section.map.items()})


def _background(name: str, section: BackgroundConfig, metadata: CoefficientsMetadata) -> BackgroundRate:
    if section.cross_section is not None:
        return BackgroundRate(name, section.cross_section, 0.0, section.uncertainty)
    if metadata.cross_section is None:
        raise InferenceError(
            f"the cross section of the background '{name}' is not known: give `inference.backgrounds.{name}."
            "cross_section`, in pb after the selection"
        )
    record = metadata.cross_section
    return BackgroundRate(name, record.coefficients[0], float(record.covariance[0][0]) ** 0.5, section.uncertainty)
