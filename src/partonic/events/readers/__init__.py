"""Readers of other people's event files into the schema of the event store, one format a file."""
