"""Networks over the reconstructed objects of events: a trunk for each member, small networks of what it saw."""
