"""Detectors of queries that are unlike the normal ones: each fits on unit vectors, and scores unit vectors."""

DETECTORS = {
    "exposure": "neighbours.Exposure",
    "density": "neighbours.Density",
    "knn": "neighbours.KNN",
    "mahalanobis": "mahalanobis.Mahalanobis",
    "autoencoder": "autoencoder.Autoencoder",
    "reconstruction": "autoencoder.Reconstruction",
}
"""Name → module here and class. Of those that separate as well as each other, the first is taken."""
