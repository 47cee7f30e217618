"""The initial state of an event: how much likelier its objects are if gluons, or quarks, made its partons."""
