"""The hard process: kinematics, phase space, parton densities, amplitudes and their join into dσ/dz."""
