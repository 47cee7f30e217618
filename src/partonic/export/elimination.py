"""Small systems of linear equations in operations that ONNX has: it has no solver of its own."""

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["eliminated"]


def eliminated(
    matrix: Float[Tensor, "*batch size size"], right: Float[Tensor, "*batch size"]
) -> Float[Tensor, "*batch size"]:
    """Return the solutions of M y = b for symmetric positive definite M, by elimination without exchange of rows.

    For such matrices it is as stable as with exchanges (N. J. Higham, Accuracy and Stability of Numerical Algorithms,
    ch. 10). Rows and columns are first scaled so that the diagonal is 1.
    """
    scale = torch.diagonal(matrix, dim1=-2, dim2=-1).rsqrt()
    rows = torch.cat([matrix * scale[..., :, None] * scale[..., None, :], (right * scale)[..., None]], dim=-1)
    size = matrix.shape[-1]
    for k in range(size):
        pivot = rows[..., k : k + 1, :] / rows[..., k : k + 1, k : k + 1]
        reduced = rows - rows[..., :, k : k + 1] * pivot
        rows = torch.cat([reduced[..., :k, :], pivot, reduced[..., k + 1 :, :]], dim=-2)
    return rows[..., size] * scale
