"""How the networks of a method are trained on a sample of events."""
