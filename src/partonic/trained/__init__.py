"""Trained models as data: the folder of a model, and the events that it was trained on."""
