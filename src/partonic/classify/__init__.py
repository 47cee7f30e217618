"""Signal against background: discriminants, plain classifiers, and how well a number of an event separates."""
