"""What a processor can do, from what Linux writes of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain_embeddings.encoding import cpu_features


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cpu_features.features.cache_clear()
    yield
    cpu_features.features.cache_clear()


@pytest.mark.parametrize(
    ("flags", "bfloat16"),
    [
        ("fpu avx2 fma", False),
        ("fpu avx512f avx512_vnni", False),
        ("fpu avx512_vnni avx512_bf16", True),
        ("fpu amx_bf16", True),
    ],
)
def test_flags_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, bfloat16: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: x\n\nprocessor\t: 1\n")
    monkeypatch.setattr(cpu_features, "CPUINFO", tmp_path / "cpuinfo")

    assert cpu_features.has_bfloat16() == bfloat16


@pytest.mark.parametrize("content", [None, "processor\t: 0\nFeatures\t: fp asimd\n"])
def test_elsewhere_nothing_is_taken_for_granted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "cpuinfo").write_text(content)
    monkeypatch.setattr(cpu_features, "CPUINFO", tmp_path / "cpuinfo")

    assert cpu_features.features() == frozenset()
    assert not cpu_features.has_bfloat16()
