"""Readers of ROOT files with one row an event: CMS NanoAOD and Delphes."""
