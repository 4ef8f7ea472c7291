"""The study of the fusion's weights: mixes as `fuse_scores` ranks them, the rule that chooses, a small run."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import fusion_study
from benchmarks.fusion_study import (
    ALONE,
    PARTS,
    WEIGHTS,
    Measured,
    PartScores,
    by_coverage,
    choose,
    left_out,
    measure,
    rankings,
    told,
    tops,
)
from domain_embeddings.core.beir_files import write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.ranking import fuse_scores
from domain_embeddings.encoding.dev_set import Dev


def _mix(*weights: float) -> int:
    return WEIGHTS.tolist().index(list(weights))


def _measured(name: str, best_alone: float, **ndcg: float) -> Measured:
    """Every mix is worth 0 but the best part alone, and those named by three tenths, as in `m622`."""
    mixes = np.zeros((2 * len(WEIGHTS), 2))
    mixes[ALONE["dense"], 0] = best_alone
    for mix, value in ndcg.items():
        mixes[_mix(*(int(tenths) / 10 for tenths in mix[1:])), 0] = value
    return Measured(name, mixes, np.zeros(2))


def test_weights_sum_to_1_and_the_corners_are_the_parts() -> None:
    assert len(WEIGHTS) == len(np.unique(WEIGHTS, axis=0)) == 66
    assert WEIGHTS.sum(axis=1) == pytest.approx(np.ones(66))
    assert [WEIGHTS[ALONE[part]].tolist() for part in PARTS] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_every_mix_ranks_as_the_fusion_of_scores_does() -> None:
    """Over 150 passages, with ties, so that candidates are fewer than the two rankings hold together."""
    draw = np.random.default_rng(0)
    late, dense, bm25 = (draw.integers(0, 40, (3, 150)).astype(np.float32) for _ in PARTS)
    bm25[0] = -np.inf  # a question that shares no word with any passage
    bm25[1, 5:] = -np.inf
    dev = Dev(dict.fromkeys(map(str, range(150)), ""), {i: Query(i, "") for i in "abc"}, {})
    runs = rankings(dev, PartScores(late, dense, bm25))
    shares = [fuse_scores([runs[part]], [1.0], 100) for part in PARTS]

    assert any(len({*runs["dense"][i], *runs["bm25"][i]}) > len(runs["hybrid"][i]) for i in "abc")
    for question in "abc":
        assert set(runs["late"][question]) == set(runs["hybrid"][question])
        found = tops([share[question] for share in shares])
        for weights, ranking in zip(WEIGHTS.tolist(), found, strict=True):
            parts = PARTS if weights[0] else PARTS[1:]
            fused = fuse_scores([runs[part] for part in parts], weights[-len(parts) :], 300)[question]
            allowed = runs["late"][question] if weights[0] else fused
            assert ranking == [passage for passage in fused if passage in allowed][:10]
        for part in PARTS:
            assert found[ALONE[part]] == list(runs[part][question])[:10]


def test_by_coverage_only_bm25_counts_less() -> None:
    late, dense, bm25 = {"a": 1.0}, {"a": 0.5, "b": 1.0}, {"b": 1.0, "c": 0.5}

    assert by_coverage([late, dense, bm25], 0.5) == [late, dense, {"b": 0.25, "c": 0.125}]
    assert told(len(WEIGHTS) + _mix(0.6, 0.1, 0.3)) == "late 0.6, dense 0.1, bm25 0.3 by coverage"


def test_a_question_that_bm25_covers_little_goes_by_meaning() -> None:
    """Its first passage by words holds one of four stems, so that a sixteenth of BM25's weight counts."""
    dev = Dev({"a": "rotor", "b": "wheel"}, {"q": Query("q", "rotor squeal brake pedal")}, {"q": {"b": 1}})
    scores = PartScores(*(np.array([row], dtype=np.float32) for row in ([0.2, 0.6], [0.1, 0.5], [3.0, -np.inf])))
    mix = _mix(0.2, 0.2, 0.6)

    found = measure("one", dev, scores).ndcg

    assert found[len(WEIGHTS) + mix] == 1
    assert found[mix] == pytest.approx(1 / np.log2(3))


def test_the_best_mean_is_chosen_among_those_that_lose_little_anywhere() -> None:
    one = _measured("one", 0.5, m622=0.9, m334=0.60)
    other = _measured("other", 0.5, m622=0.4, m334=0.49)

    assert choose([one, other], 0.02) == _mix(0.3, 0.3, 0.4)
    assert choose([one, other], 0.1) == _mix(0.6, 0.2, 0.2)  # just within
    assert choose([one, other], np.inf) == _mix(0.6, 0.2, 0.2)


def test_where_none_is_within_the_least_worst_shortfall_chooses() -> None:
    one = _measured("one", 0.5, m622=0.40, m334=0.45)
    other = _measured("other", 0.5, m622=0.9, m334=0.46)
    for each in (one, other):
        each.mixes[ALONE["dense"], 0] = 0
        each.mixes[ALONE["late" if each is one else "bm25"], 0] = 0.5

    assert choose([one, other], 0.02) == _mix(0.3, 0.3, 0.4)


def test_of_equals_the_one_nearest_to_equal_weights() -> None:
    assert choose([_measured("one", 0.5, m811=0.7, m433=0.7, m262=0.7)], 0.02) == _mix(0.4, 0.3, 0.3)


def test_the_others_choose_for_the_one_left_out() -> None:
    one, other = _measured("one", 0.5, m622=0.9), _measured("other", 0.5, m334=0.8)

    assert left_out([one, other], 0.02) == [_mix(0.3, 0.3, 0.4), _mix(0.6, 0.2, 0.2)]
    assert left_out([one], 0.02) == []


def _write(folder: Path, passages: int, judged: Sequence[str]) -> Path:
    """A collection with one question a split in `judged`, answered by p0, p1, …"""
    words = ["brake pedal", "engine oil", "mast chain", "motor cable", "fault code", "lift carriage"]
    corpus = {f"p{i}": Passage(f"p{i}", words[i % 6], f"Check the {words[i % 6]} number {i}.") for i in range(passages)}
    queries = {split: Query(split, f"How is the {words[i]} checked?") for i, split in enumerate(judged)}
    write_dataset(folder, Dataset(corpus, queries, {split: {split: {f"p{i}": 1}} for i, split in enumerate(judged)}))
    return folder


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["fusion_study", *map(str, arguments)])
    fusion_study.main()


def test_a_small_study(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fusion_study, "BASE_MODEL", base_folder)
    folders = [
        _write(tmp_path / "one", 20, ["train", "dev", "test"]),
        _write(tmp_path / "two", 12, ["train", "dev"]),
        _write(tmp_path / "three", 6, ["test"]),
    ]
    options = ["--passages", 12, "--cache", tmp_path / "cache", "--json", tmp_path / "found.json"]

    _run(monkeypatch, *folders, *options)
    said, figures = capsys.readouterr().out, json.loads((tmp_path / "found.json").read_text())

    assert "three: left out" in said
    assert "one: 2 questions, 12 passages" in said
    assert [row["name"].split(",")[0] for row in figures] == ["one: fusion", "two: fusion"] * 2
    assert all(
        0 < row["peer"] <= 1 and row["ratio"] == pytest.approx(row["ours"] / row["peer"], abs=1e-3) for row in figures
    )

    monkeypatch.setattr(fusion_study, "load", None)  # what is kept needs no model
    _run(monkeypatch, *folders, *options)
    assert capsys.readouterr().out == said
    assert json.loads((tmp_path / "found.json").read_text()) == figures


def test_what_cannot_be_used_is_said_before_anything_is_encoded(
    base_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fusion_study, "BASE_MODEL", base_folder)
    monkeypatch.setattr(fusion_study, "load", None)
    good, unasked = _write(tmp_path / "good", 6, ["train"]), _write(tmp_path / "unasked", 6, ["test"])

    cases: list[tuple[list[object], str]] = [
        ([good, tmp_path / "none"], "corpus.jsonl: file not found"),
        ([good, _write(tmp_path / "else" / "good", 6, ["dev"])], "same name"),
        ([unasked], "no folder has a train or dev question"),
        ([good, "--questions", 0], "--questions"),
    ]
    for arguments, message in cases:
        with pytest.raises(SystemExit):
            _run(monkeypatch, *arguments, "--cache", tmp_path / "cache")
        assert message in capsys.readouterr().err
