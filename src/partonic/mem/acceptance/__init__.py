"""The acceptance: the probability that an event with given partons passes the selection."""
