"""q(z|x) of any decay channel of a process with a top pair."""
