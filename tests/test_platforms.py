"""The check of platforms, asked of a folder of wheels made here instead of an index."""

import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from scripts.check_platforms import PLATFORMS, Answer, ask, lacking, pins

LINUX, ARM, MAC = PLATFORMS


def _needs(**lines: list[str]) -> dict[str, list[Requirement]]:
    return {name: [*map(Requirement, each)] for name, each in lines.items()}


def test_a_line_counts_where_its_marker_holds() -> None:
    text = "# note\nRuamel.YAML==0.19.1\nappnope==0.1.4; sys_platform == 'darwin'\nold==1; python_version < '3.12'"

    assert list(pins(text, LINUX.environment("3.11"))) == ["ruamel-yaml", "old"]
    assert list(pins(text, MAC.environment("3.12"))) == ["ruamel-yaml", "appnope"]


def test_a_dependency_must_be_pinned_at_a_version_that_is_taken() -> None:
    environment = MAC.environment("3.12")
    wanted = pins("a==1.0\nb==2.0\n", environment)
    needs = _needs(a=["b<2", "c>=1", 'd; platform_system == "Linux"', 'e; extra == "more"'], b=["a>=1"])

    assert lacking(needs, wanted, environment) == ["a: b<2", "a: c>=1"]


def test_an_extra_brings_the_dependencies_it_stands_for() -> None:
    environment = LINUX.environment("3.13")
    needs = _needs(a=["b[fast]"], b=['c; extra == "fast"', 'd; extra == "slow"'])

    assert lacking(needs, pins("a==1\nb==1\n", environment), environment) == ['b: c; extra == "fast"']


def test_pytorch_is_installed_with_its_dependencies() -> None:
    assert lacking(_needs(torch=["cuda-toolkit==13.0.3"]), {}, LINUX.environment("3.11")) == []


def _wheel(folder: Path, name: str, tag: str, needs: str = "") -> None:
    with zipfile.ZipFile(folder / f"{name}-1.0-{tag}.whl", "w") as file:
        info = f"{name}-1.0.dist-info"
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")


@pytest.mark.slow
def test_pip_says_which_pins_have_no_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    _wheel(tmp_path, "pure", "py3-none-any", "Requires-Dist: other\n")
    _wheel(tmp_path, "linux_only", "cp312-cp312-manylinux_2_28_x86_64")
    _wheel(tmp_path, "old_linux", "cp310-abi3-manylinux_2_17_aarch64")
    _wheel(tmp_path, "mac_only", "cp312-cp312-macosx_11_0_arm64")
    lock = "pure==1.0\nlinux_only==1.0\nold_linux==1.0\nmac_only==1.0\n"

    assert ask(LINUX, "3.12", lock) == Answer(2, ["old-linux==1.0", "mac-only==1.0"], ["pure: other"])
    assert ask(ARM, "3.12", lock) == Answer(2, ["linux-only==1.0", "mac-only==1.0"], ["pure: other"])
    assert ask(MAC, "3.12", lock) == Answer(2, ["linux-only==1.0", "old-linux==1.0"], ["pure: other"])
    assert ask(MAC, "3.13", lock) == Answer(1, ["linux-only==1.0", "old-linux==1.0", "mac-only==1.0"], ["pure: other"])


def test_an_index_that_answers_otherwise_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    (tmp_path / "broken-1.0-py3-none-any.whl").write_bytes(b"no archive")

    with pytest.raises(RuntimeError, match="broken"):
        ask(LINUX, "3.11", "broken==1.0\n")
