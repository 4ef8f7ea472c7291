"""Merge two branches' dvc.lock stage by stage: git's driver for the file (.gitattributes; `make env` sets it up).

python -m scripts.merge_lock BASE OURS THEIRS    # as git calls it: writes OURS; exit status 1 for a conflict

A stage that one branch alone has changed is that branch's. One that both have changed, each in its way, is a conflict:
it is left between git's marks, and `dvc repro` after the merge decides.
"""

import re
import sys
from pathlib import Path

_STAGE = re.compile(r"^  (\S+):\n", re.MULTILINE)
HEAD = ""
"""What stands before the first stage counts as one."""


def stages(text: str) -> dict[str, str]:
    """Stage → its lines, in the file's order."""
    places = [*_STAGE.finditer(text)]
    starts = [0, *(place.start() for place in places), len(text)]
    names = [HEAD, *(place[1] for place in places)]
    return {name: text[start:end] for name, start, end in zip(names, starts[:-1], starts[1:], strict=True)}


def merged(base: str, ours: str, theirs: str) -> tuple[str, list[str]]:
    """The merged text, and the stages in conflict."""
    before, mine, other = stages(base), stages(ours), stages(theirs)
    lines, conflicts = [], []
    for name in dict.fromkeys([*mine, *other]):
        old, one, two = before.get(name), mine.get(name), other.get(name)
        if one == two or two == old:
            lines.append(one or "")
        elif one == old:
            lines.append(two or "")
        else:
            conflicts.append(name)
            lines.append(f"<<<<<<< ours\n{one or ''}=======\n{two or ''}>>>>>>> theirs\n")
    return "".join(lines), conflicts


def main() -> None:
    """Merge the three files that git names."""
    base, ours, theirs = (Path(name) for name in sys.argv[1:4])
    text, conflicts = merged(*(path.read_text(encoding="utf-8") for path in (base, ours, theirs)))
    ours.write_text(text, encoding="utf-8")
    if conflicts:
        print(f"dvc.lock: both branches changed {', '.join(conflicts)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
