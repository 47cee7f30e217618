"""What the matrix element method does not know because its networks were trained on so many events only."""
