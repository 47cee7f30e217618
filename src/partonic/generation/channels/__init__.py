"""Sampling with several channels: maps of phase space for parts of a process, trained together (MadNIS)."""
