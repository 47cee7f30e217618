"""Generation: unweighted parton-level events of a hard process, with their θ-coefficients.

Import from the modules: `generate` (end to end), `sampler` and `training` (neural importance sampling), `unweight` and
`lhe`.
"""

from partonic.generation.result import GenerationResult

__all__ = ["GenerationResult"]
