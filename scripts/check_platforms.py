"""Does every line of the locks have a wheel for each supported platform and Python, and is no line missing?

python -m scripts.check_platforms    # `make platforms`; some minutes, writes a table to stdout, exit status 1 for a gap

pip answers for other machines than this one, by the index it is set up with; only the wheels' metadata is fetched and
nothing is installed. Two questions are asked of each platform and Python:

- Is there a wheel of the pinned version? `SOURCE_ONLY` lists the packages that pip must build, all of pure Python.
- Is each dependency that the wheels name on that platform in the locks, at a version they take? `make env` installs
  them without resolving, so a dependency that only another platform needs would be missing there.

PyTorch is asked for its wheel alone. For Linux the index's own build is the one for CUDA, whose libraries are
dependencies that no lock names: `make env` installs them with it, and where pip's settings offer PyTorch's build
without CUDA (one more index, or a folder of wheels) there are none.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-dev.lock")
PYTHONS = ("3.11", "3.12", "3.13")
SOURCE_ONLY = frozenset({"antlr4-python3-runtime"})
WITH_OWN_DEPENDENCIES = frozenset({"torch"})


@dataclass(frozen=True)
class Platform:
    """A kind of machine: its name for people, the newest tags of wheels it takes, and what markers see."""

    name: str
    tags: tuple[str, ...]
    system: str
    sys_platform: str
    machine: str

    def environment(self, python: str) -> dict[str, str]:
        """The values of a requirement's markers on CPython `python` (such as 3.12)."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.system,
            "platform_version": "",
            "python_full_version": f"{python}.0",
            "python_version": python,
            "sys_platform": self.sys_platform,
        }


def _linux(machine: str, glibc: int) -> Platform:
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(glibc, 16, -1)]
    tags += [f"{older}_{machine}" for older in ("manylinux2014", "manylinux2010", "manylinux1", "linux")]
    return Platform(f"Linux {machine}, glibc 2.{glibc}", tuple(tags), "Linux", "linux", machine)


def _macos(major: int) -> Platform:
    return Platform(f"macOS {major} arm64", (f"macosx_{major}_0_arm64",), "Darwin", "darwin", "arm64")


PLATFORMS = (_linux("x86_64", 28), _linux("aarch64", 35), _macos(14))


@dataclass(frozen=True)
class Answer:
    """What the index has for one platform and Python: how many wheels, which pins have none, what no pin meets."""

    wheels: int
    without_wheel: list[str]
    lacking: list[str]


def pins(text: str, environment: Mapping[str, str]) -> dict[str, Requirement]:
    """The lines of a lock that hold in an environment, by canonical name."""
    lines = [Requirement(line) for line in text.splitlines() if line and not line.startswith("#")]
    return {canonicalize_name(line.name): line for line in _holding(lines, environment)}


def _holding(requirements: Iterable[Requirement], environment: Mapping[str, str]) -> Iterator[Requirement]:
    return (each for each in requirements if not each.marker or each.marker.evaluate(dict(environment)))


def _version(pin: Requirement) -> str:
    return str(pin.specifier).removeprefix("==")


def _resolve(lines: Iterable[str], platform: Platform, python: str) -> subprocess.CompletedProcess[str]:
    """pip's report on exact pins as JSON, or its complaint."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    command += ["--only-binary=:all:", "--target=.", "--report=-", f"--python-version={python}"]
    command += [f"--platform={tag}" for tag in platform.tags]
    return subprocess.run([*command, *lines], capture_output=True, text=True, check=False)


def dependencies(report: str) -> dict[str, list[Requirement]]:
    """What each wheel of pip's report says it needs, by canonical name."""
    metadata = [each["metadata"] for each in json.loads(report)["install"]]
    return {canonicalize_name(each["name"]): [*map(Requirement, each.get("requires_dist", []))] for each in metadata}


def wheels(
    wanted: Mapping[str, Requirement], platform: Platform, python: str
) -> tuple[dict[str, list[Requirement]], list[str]]:
    """The dependencies of every pin that has a wheel, and the pins that have none.

    pip names one pin without a wheel and stops, so it is asked again without that one. Raises RuntimeError for any
    other complaint, such as an index that does not answer.
    """
    left = {name: f"{name}=={_version(pin)}" for name, pin in wanted.items() if name not in SOURCE_ONLY}
    missing = []
    while (done := _resolve(left.values(), platform, python)).returncode:
        named = re.search(r"No matching distribution found for ([\w.-]+)==", done.stderr)
        if not named:
            raise RuntimeError(done.stderr)
        missing.append(left.pop(canonicalize_name(named[1])))
    return dependencies(done.stdout), missing


def lacking(
    needs: Mapping[str, list[Requirement]], wanted: Mapping[str, Requirement], environment: Mapping[str, str]
) -> list[str]:
    """The dependencies in an environment that no pin meets, as "<who needs it>: <requirement>".

    An extra that one package asks of another (`httpx[http2]`) brings that one's dependencies for it.
    """
    asked = {(name, "") for name in needs if name not in WITH_OWN_DEPENDENCIES}
    found, left = set(), list(asked)
    while left:
        name, extra = left.pop()
        for need in _holding(needs.get(name, []), {**environment, "extra": extra}):
            pin = wanted.get(canonicalize_name(need.name))
            if pin is None or not need.specifier.contains(_version(pin), prereleases=True):
                found.add(f"{name}: {need}")
            more = {(canonicalize_name(need.name), each) for each in need.extras} - asked
            asked |= more
            left += more
    return sorted(found)


def ask(platform: Platform, python: str, text: str) -> Answer:
    """What the index has for the lines of the locks on one platform and Python."""
    environment = platform.environment(python)
    wanted = pins(text, environment)
    needs, missing = wheels(wanted, platform, python)
    return Answer(len(needs), missing, lacking(needs, wanted, environment))


def main() -> None:
    """Ask for every platform and Python and write the table."""
    text = "\n".join(Path(lock).read_text(encoding="utf-8") for lock in LOCKS)
    print("| platform | Python | wheels | built by pip | without a wheel | dependencies not in the locks |")
    print("|---|---|---|---|---|---|")
    gaps = False
    for platform in PLATFORMS:
        for python in PYTHONS:
            answer = ask(platform, python, text)
            gaps |= bool(answer.without_wheel or answer.lacking)
            lists = sorted(SOURCE_ONLY), answer.without_wheel, answer.lacking
            cells = [platform.name, python, str(answer.wheels), *(", ".join(each) or "none" for each in lists)]
            print("|", " | ".join(cells), "|", flush=True)
    sys.exit(gaps)


if __name__ == "__main__":
    main()
