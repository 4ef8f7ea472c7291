"""Texts to vectors: encoders, late interaction, served models."""
