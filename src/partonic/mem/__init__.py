"""The matrix element method: P_a(x) = ∫ dz [dσ/dz]_a ε(z) p_T(x|z) for reconstructed events, with its error."""
