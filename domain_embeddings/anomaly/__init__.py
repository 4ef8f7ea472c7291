"""Queries that are odd or hostile."""
