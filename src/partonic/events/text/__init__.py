"""Event files that are text (Les Houches, HepMC): decompressed, cut into documents and events, and their numbers."""
