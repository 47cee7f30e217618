"""HepMC text: events of any shower, their particles and their weights."""
