"""What turns reconstructed events into coefficients of θ, and the run of any such method over a store."""
