"""What DVC cannot see for itself: that dvc.yaml declares what the code reads, and that dvc.lock is of this commit."""

import ast
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.params.whole import Params
from scripts.dependencies import ROOT, declared, imported_files, needed

NAMES = [
    "base_model", "ingest", "synthesize", "mine", "train", "evaluate", "guard", "report", "robustness", "package",
    "anomaly",
]  # fmt: skip
COMMANDS = {"gate": "domain_embeddings.commands.gate", "search": "domain_embeddings.commands.search_commands"}
"""Sections of params.yaml that a command reads, be it the only one or beside stages, and where that is."""
SET = {"train": "env GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=8388608 "}
"""What a stage's command sets for its process."""
PIPELINE: dict[str, Any] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS: dict[str, Any] = YAML(typ="safe").load(ROOT / "params.yaml")


def _body(stage: str) -> dict[str, Any]:
    found: dict[str, Any] = PIPELINE[stage].get("do", PIPELINE[stage])
    return found


def _is_seeded(section: str) -> bool:
    return "seed" in Params.model_fields[section].annotation.model_fields  # type: ignore[union-attr]


def _declared_params(stage: str) -> set[str]:
    return {name.removesuffix(".${key}") for name in _body(stage)["params"]}


def _read_params(stage: str) -> set[str]:
    """What a stage's script asks for by `section("x", …)`, `load_params()["x"]["y"]`.

    Of a section that a command reads too, the knobs alone that it takes: `x = section("x", …)`, then `x.y`.
    """
    tree = ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))
    found, within, shared = set(), set(), _shared_sections(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Subscript(
                    value=ast.Call(func=ast.Name(id="load_params")), slice=ast.Constant(value=str(name))
                ) as inner,
                slice=ast.Constant(value=str(knob)),
            ):
                found.add(f"{name}.{knob}")
                within.add(inner)
            case ast.Attribute(value=ast.Name(id=variable), attr=knob) if variable in shared:
                found.add(f"{shared[variable]}.{knob}")
            case ast.Call(func=ast.Name(id="section"), args=[ast.Constant(value=str(name)), *_]) if (
                name not in COMMANDS
            ):
                found |= {name, "seed"} if _is_seeded(name) else {name}
            case ast.Subscript(value=ast.Call(func=ast.Name(id="load_params")), slice=ast.Constant(value=str(name))):
                if node not in within:
                    found.add(name)
    return found


def _shared_sections(tree: ast.Module) -> dict[str, str]:
    """Variable → the section of COMMANDS that it holds."""
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=variable)],
                value=ast.Call(func=ast.Name(id="section"), args=[ast.Constant(value=str(name)), *_]),
            ) if name in COMMANDS:
                found[variable] = name
    return found


def _packages() -> dict[str, list[str]]:
    """Package of the library → its modules."""
    folders = [path.parent for path in (ROOT / "domain_embeddings").rglob("__init__.py")]
    return {
        folder.relative_to(ROOT).as_posix(): [path.stem for path in folder.glob("*.py") if path.stem[:2] != "__"]
        for folder in folders
    }


def test_a_package_has_at_most_a_dozen_modules() -> None:
    sizes = {package: len(modules) for package, modules in _packages().items() if not package.endswith("/params")}

    assert [package for package, size in sizes.items() if size > 12] == []


def test_no_two_modules_have_one_name() -> None:
    """But for typed params, which are named as their sections."""
    names = [name for package, modules in _packages().items() if not package.endswith("/params") for name in modules]

    assert [name for name in set(names) if names.count(name) > 1] == []


def test_the_stages_are_the_fixed_ones() -> None:
    assert list(PIPELINE) == NAMES


@pytest.mark.parametrize("stage", NAMES)
def test_a_stage_has_one_name_everywhere(stage: str) -> None:
    argument = "" if stage == "base_model" else " '${key}'"

    assert _body(stage)["desc"].strip()
    assert _body(stage)["cmd"] == f"{SET.get(stage, '')}python -m stages.{stage}{argument}"
    assert (ROOT / "stages" / f"{stage}.py").is_file()
    assert (ROOT / "tests" / "stages" / f"test_{stage}.py").is_file()


@pytest.mark.parametrize("stage", NAMES)
def test_code_dependencies_are_the_import_graph(stage: str) -> None:
    assert declared(PIPELINE[stage]) == needed(f"stages.{stage}"), "run `make deps`"


@pytest.mark.parametrize("stage", NAMES)
def test_declared_params_are_the_read_ones(stage: str) -> None:
    assert _declared_params(stage) == _read_params(stage)


def test_every_section_of_params_is_declared_whole() -> None:
    declared = {name for stage in NAMES for name in _declared_params(stage) if "." not in name}
    assert set(PARAMS) == declared | set(COMMANDS)


@pytest.mark.parametrize("section", [name for name in Params.model_fields if name not in ("corpora", "seed")])
def test_every_knob_is_used(section: str) -> None:
    declared = {stage: {name.partition(".")[0] for name in _declared_params(stage)} for stage in NAMES}
    readers = [f"stages.{stage}" for stage in NAMES if section in declared[stage]]
    readers += [COMMANDS[section]] if section in COMMANDS else []
    files = sorted({file for module in readers for file in imported_files(module)})
    code = "\n".join((ROOT / file).read_text(encoding="utf-8") for file in files)

    assert [knob for knob in PARAMS[section] if not re.search(rf"[.\"]{knob}\b", code)] == []


def test_the_lock_holds_every_stage_of_every_corpus() -> None:
    locked = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"]

    expected = {f"{stage}@{corpus}" for stage in NAMES[1:] for corpus in PARAMS["corpora"]}
    assert set(locked) == {"base_model", *expected}


def test_the_lock_hangs_together() -> None:
    locked = YAML(typ="safe").load(ROOT / "dvc.lock")["stages"]
    written = {out["path"]: out["md5"] for stage in locked.values() for out in stage["outs"]}

    read = [
        (name, dep["path"], dep["md5"])
        for name, stage in locked.items()
        for dep in stage["deps"]
        if dep["path"] in written
    ]

    assert len(read) >= 3 * len(PARAMS["corpora"])
    assert [(name, path) for name, path, md5 in read if md5 != written[path]] == [], "run `make repro`"
