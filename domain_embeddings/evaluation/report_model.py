"""What the report stage knows of one corpus, in one value: the page and the Markdown report are functions of it.

It holds no dates, timings or commits, so that the same results give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Word = Literal["improved", "unchanged", "regressed", "underpowered"]
Model = Literal["tuned", "base"]
SHIPPED = "shipped"
"""The arm of what search answers with."""
Span = tuple[float, float]
"""Low and high end of a 95% interval."""


@dataclass(frozen=True)
class Row:
    """A paired difference between two arms on some questions: all of them, or one value of a slice."""

    slice: str
    """What the questions were told apart by (`domain`, `difficulty`, …); empty for all of them."""
    value: str
    """The slice's value (`hvac`, `hard`, …); empty for all of them."""
    n: int
    groups: int
    """Of questions that share a relevant passage."""
    delta: float
    low: float
    high: float
    p: float
    p_holm: float
    """p adjusted for all the slices of its comparison (Holm, 1979)."""
    detectable: float
    """Minimum detectable difference at 80% power; inf where unknown."""
    word: Word


@dataclass(frozen=True)
class Comparison:
    """One arm minus another, overall and by slice."""

    name: str
    """`tuned − base`."""
    overall: Row
    slices: Sequence[Row] = ()


@dataclass(frozen=True)
class Verdict:
    """The content of verdict.json."""

    verdict: Word
    metric: str
    delta: float
    ci95: Span
    p: float
    promoted: Model
    shipped: str
    """The arm that search answers with."""
    shipped_delta: float
    """shipped − base, on the same questions."""
    shipped_ci95: Span


@dataclass(frozen=True)
class Shipped:
    """The system that search answers with."""

    arm: str
    """Its arm; the arm `shipped` has the same figures."""
    reason: str
    kb: float
    """Of vectors for a passage, on average."""
    system: Mapping[str, Any]
    """All of it (`systems.system.System`), as it is packaged."""


@dataclass(frozen=True)
class DevResult:
    """What the dev questions say of tuned − base."""

    word: Word
    delta: float
    low: float
    high: float
    n: int
    groups: int
    """Of questions that share a relevant passage."""
    synthetic: bool
    """Whether the dev questions were made from passages."""
    asked_by: str
    """Who asked them: `people`, `a language model`, …"""


@dataclass(frozen=True)
class Guard:
    """tuned − base on one of the guard's collections, or on all of them together."""

    corpus: str
    delta: float
    low: float
    high: float
    n: int
    groups: int
    holds: bool
    """Whether a loss that matters is excluded."""


@dataclass(frozen=True)
class Promotion:
    """Which model is packaged, that of the system that is shipped, and why."""

    promoted: Model
    reason: str
    dev: DevResult
    shipped: Shipped
    guard: Sequence[Guard] = ()
    """All collections together first; that one decides whether the tuned model may be shipped."""
    share: float = 1.0
    """Share of the tuned weights in the mix with the base's; 1 is tuned alone."""


@dataclass(frozen=True)
class SeedGain:
    """tuned − base on the test questions after a training with another seed."""

    seed: int
    delta: float


@dataclass(frozen=True)
class Hit:
    """A passage as the report shows it."""

    id: str
    title: str
    text: str
    relevant: bool = True


@dataclass(frozen=True)
class Case:
    """A question on which two arms differ: its score under each, and what each found, best first."""

    query: str
    query_id: str
    ours: float
    theirs: float
    relevant: Sequence[Hit]
    ours_found: Sequence[Hit]
    theirs_found: Sequence[Hit]
    domain: str = ""
    category: str = ""
    difficulty: str = ""


@dataclass(frozen=True)
class LossPoint:
    """Training loss at a step."""

    step: int
    loss: float


@dataclass(frozen=True)
class DevPoint:
    """The verdict's metric on the dev questions at a step."""

    step: int
    value: float


@dataclass(frozen=True)
class Training:
    """The curves of the training whose weights are the result."""

    loss: Sequence[LossPoint] = ()
    dev: Sequence[DevPoint] = ()


@dataclass(frozen=True)
class Summary:
    """All that a report says. Arms keep their order; metrics are those of `metrics.METRICS`, values lie in 0..1."""

    corpus: str
    kind: str
    split: str
    """How the splits were made: a sentence with its full stop."""
    n_queries: int
    asked_by: str
    """Who asked the test questions."""
    arms: Mapping[str, Mapping[str, float]]
    intervals: Mapping[str, Mapping[str, Span]]
    recall_curve: Mapping[str, Mapping[int, float]]
    """Arm → k → mean recall@k, k ascending; an arm may be absent."""
    comparisons: Sequence[Comparison]
    """`shipped − base` comes first."""
    verdict: Verdict
    promotion: Promotion
    wins: Sequence[Case] = ()
    """Questions that tuned answers better than base, largest gain first; `ours` is tuned, `theirs` is base."""
    losses: Sequence[Case] = ()
    seeds: Sequence[SeedGain] = ()
    seed_spread: float | None = None
    """Standard deviation of the seeds' gains; None with fewer than two."""
    training: Training = field(default_factory=Training)
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Baseline that was to be compared → why it could not be."""
