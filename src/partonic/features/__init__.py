"""What any network says of a reconstructed event: its frame, inputs, high-level observables, and whether it serves."""
