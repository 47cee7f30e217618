"""The learned detector in an analysis: its training."""
