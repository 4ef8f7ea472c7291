"""Detectors of queries that are unlike the normal ones: each fits on unit vectors, and scores unit vectors."""
