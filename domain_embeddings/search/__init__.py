"""Indexes and hybrid retrieval with a packaged model."""
