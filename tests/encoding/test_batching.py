"""Batches of like length, by hand."""

from domain_embeddings.encoding.batching import at_once, by_length


def test_batches_are_of_like_length_and_hold_at_most_so_many_tokens() -> None:
    # 640 tokens: two rows of 100 with one of 200 (3 * 200 = 600), then two of 250 (3 * 250 = 750 would be too many)
    assert by_length([100, 250, 200, 250, 100], 640) == [[0, 4, 2], [1, 3]]
    assert by_length([1000, 2], 640) == [[1], [0]]
    assert by_length([], 640) == []


def test_a_gpu_takes_more_at_once() -> None:
    assert at_once("cuda") == at_once("mps") > at_once("cpu")
