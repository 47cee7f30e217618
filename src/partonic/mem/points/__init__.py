"""Points of the unit cube, and densities in the base space of a proposal that follow an event."""
