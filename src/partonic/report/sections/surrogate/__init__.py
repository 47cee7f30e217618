"""Sections on events that a learned detector made."""
