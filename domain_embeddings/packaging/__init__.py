"""Versions of a model: manifest, card, signature, export, verified loading."""
