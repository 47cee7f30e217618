"""A learned detector: reconstructed events from partons by networks, in place of shower, detector and selection."""
