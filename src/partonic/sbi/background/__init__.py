"""How likely events are under backgrounds, learned by networks that tell them from the signal."""
