"""Conditional normalizing flows of rational-quadratic splines: densities that are evaluated and sampled."""

from partonic.nn.flows.flow import ConditionalFlow, FlowShape, Precision
from partonic.nn.flows.zuko_weights import load_zuko_weights

__all__ = ["ConditionalFlow", "FlowShape", "Precision", "load_zuko_weights"]
