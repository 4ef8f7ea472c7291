"""Typed params: one module for each section of params.yaml, so that a stage depends on its own alone."""
