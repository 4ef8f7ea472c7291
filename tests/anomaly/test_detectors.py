"""Detectors on vectors whose scores can be worked out, and what all of them must keep to."""

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from domain_embeddings.anomaly.detectors import DETECTORS
from domain_embeddings.anomaly.detectors.autoencoder import Reconstruction
from domain_embeddings.anomaly.detectors.detector import Detector
from domain_embeddings.anomaly.detectors.detector_choice import auroc, best, class_of, fit_all, separation
from domain_embeddings.anomaly.detectors.forest import forest_scores
from domain_embeddings.anomaly.detectors.mahalanobis import Mahalanobis
from domain_embeddings.anomaly.detectors.neighbours import KNN, KNOWN_WEIGHT, Density, Exposure, nearest
from domain_embeddings.core.ranking import Scores

pytestmark = pytest.mark.slow


def unit(vectors: np.ndarray) -> Scores:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def cloud(seed: int, n: int, axis: int, width: float = 0.05) -> Scores:
    """Vectors around an axis of a space of 24 dimensions."""
    return unit(np.eye(24)[axis] + np.random.default_rng(seed).normal(0, width, (n, 24)))


NORMAL = np.concatenate([cloud(1, 150, 0), cloud(2, 150, 1)])
KNOWN = cloud(3, 12, 5)
NEW, ODD = np.concatenate([cloud(4, 60, 0), cloud(5, 60, 1)]), cloud(6, 60, 2)


@pytest.fixture(scope="module")
def fitted() -> Mapping[str, Detector]:
    return fit_all(NORMAL, KNOWN, seed=1)


def test_every_detector_is_fitted(fitted: Mapping[str, Detector]) -> None:
    assert set(fitted) == set(DETECTORS)
    assert set(fit_all(NORMAL, KNOWN[:0], seed=1)) == set(DETECTORS) - {"exposure"}


@pytest.mark.parametrize("name", DETECTORS)
def test_far_away_scores_higher(fitted: Mapping[str, Detector], name: str) -> None:
    assert auroc(fitted[name].score(NEW), fitted[name].score(ODD)) > 0.99


@pytest.mark.parametrize("name", DETECTORS)
def test_saved_arrays_score_the_same(fitted: Mapping[str, Detector], name: str) -> None:
    tensors = fitted[name].tensors()

    again = class_of(name).from_tensors(tensors)

    assert np.array_equal(again.score(ODD), fitted[name].score(ODD))
    assert all(isinstance(array, np.ndarray) and array.flags["C_CONTIGUOUS"] for array in tensors.values())


@pytest.mark.parametrize("name", DETECTORS)
def test_a_missing_or_unknown_array_is_refused(fitted: Mapping[str, Detector], name: str) -> None:
    tensors = fitted[name].tensors()
    first = min(tensors)

    with pytest.raises(ValueError, match="has the arrays"):
        class_of(name).from_tensors({key: array for key, array in tensors.items() if key != first})
    with pytest.raises(ValueError, match="has the arrays"):
        class_of(name).from_tensors({**tensors, "code": np.zeros(1)})


def test_fitting_again_gives_the_same_bytes(fitted: Mapping[str, Detector]) -> None:
    again = fit_all(NORMAL, KNOWN, seed=1)

    for name in DETECTORS:
        assert {key: array.tobytes() for key, array in again[name].tensors().items()} == {
            key: array.tobytes() for key, array in fitted[name].tensors().items()
        }


@pytest.mark.parametrize("name", DETECTORS)
def test_a_query_scores_the_same_alone(fitted: Mapping[str, Detector], name: str) -> None:
    together = fitted[name].score(ODD)
    alone = np.concatenate([fitted[name].score(ODD[i : i + 1]) for i in range(len(ODD))])

    assert together.shape == (60,)
    assert together.dtype == np.float32
    assert alone == pytest.approx(together, rel=1e-4, abs=1e-5)
    assert fitted[name].score(ODD[:0]).shape == (0,)


def test_neighbours_by_hand() -> None:
    normal = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)

    distances, found = nearest(np.array([[1, 0]], dtype=np.float32), normal, 2)
    assert found.tolist() == [[0, 1]]
    assert distances[0] == pytest.approx([0, 0.2])

    distances, found = nearest(normal, normal, 1, skip_itself=True)
    assert found[:, 0].tolist() == [1, 0, 1]
    assert distances[:, 0] == pytest.approx([0.2, 0.2, 0.4])


def test_knn_and_density_by_hand() -> None:
    normal = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    query = np.array([[0.6, 0.8]], dtype=np.float32)  # distances 0.4, 0.04, 0.2

    assert KNN(normal, np.array([2])).score(query) == pytest.approx([0.12])
    density = Density.fit(normal, normal[:0], 0)  # two neighbours: spacing 0.6, 0.3, 0.7
    assert density.spacing == pytest.approx([0.6, 0.3, 0.7])
    assert density.score(query) == pytest.approx([0.12 - 0.75 * (0.3 + 0.7) / 2])


def test_exposure_is_density_and_nearness_to_known_anomalies() -> None:
    normal = np.array([[1, 0], [0.8, 0.6], [0, 1]], dtype=np.float32)
    known = np.array([[0.6, -0.8], [-1, 0]], dtype=np.float32)
    query = np.array([[0.6, 0.8]], dtype=np.float32)  # similarities −0.28 and −0.6

    expected = Density.fit(normal, known, 0).score(query) + KNOWN_WEIGHT * (-0.28 - 0.6) / 2

    assert Exposure.fit(normal, known, 0).score(query) == pytest.approx(expected)
    with pytest.raises(ValueError, match="exposure needs known anomalies"):
        Exposure.fit(normal, known[:0], 0)


def test_mahalanobis_is_scikit_learns() -> None:
    reference = LedoitWolf().fit(NORMAL.astype(np.float64))

    assert Mahalanobis.fit(NORMAL, KNOWN, 0).score(ODD) == pytest.approx(reference.mahalanobis(ODD), rel=1e-3)


def test_the_network_rebuilds_what_it_was_trained_on(fitted: Mapping[str, Detector]) -> None:
    network = fitted["reconstruction"]

    assert isinstance(network, Reconstruction)
    assert network.w1.shape == (128, 24)
    assert network.w2.shape == (64, 128)
    assert network.codes(NEW).shape == (120, 64)
    assert np.linalg.norm(network.codes(NEW), axis=1) == pytest.approx(1, abs=1e-5)
    assert network.score(NEW).mean() < 0.05
    assert network.score(ODD).mean() > 0.3


def test_the_forest_tells_them_apart() -> None:
    assert auroc(forest_scores(NORMAL, NEW, 1), forest_scores(NORMAL, ODD, 1)) > 0.75


def test_auroc_by_hand() -> None:
    assert auroc(np.array([1.0, 2, 3], np.float32), np.array([2.5, 3, 0], np.float32)) == pytest.approx(
        (2 + 2.5 + 0) / 9
    )


def test_kinds_count_the_same_however_many_they_are(fitted: Mapping[str, Detector]) -> None:
    near = NEW[:1]
    detector = fitted["knn"]
    alone = auroc(detector.score(NEW), detector.score(near))

    assert separation(detector, {"new": NEW}, {"far": ODD, "near": near}) == pytest.approx((1 + alone) / 2, abs=1e-3)


def test_few_odd_normal_queries_count_as_much_as_many_plain_ones(fitted: Mapping[str, Detector]) -> None:
    odd = ODD[:2]
    detector = fitted["knn"]
    plain, fine = (auroc(detector.score(normal), detector.score(ODD)) for normal in (NEW, odd))

    found = separation(detector, {"plain": NEW, "odd": odd}, {"far": ODD})

    assert found == pytest.approx((plain + fine) / 2)
    assert found < plain


def test_the_best_is_taken_and_of_near_equals_the_first() -> None:
    assert best({"knn": 0.9, "mahalanobis": 0.95}) == "mahalanobis"
    assert best({"mahalanobis": 0.955, "density": 0.95, "knn": 0.955}) == "density"
    assert best({"exposure": 0.90, "density": 0.95}) == "density"
