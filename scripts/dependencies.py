"""Which code of this repo a stage's script imports, directly or not, and what dvc.yaml declares.

python -m scripts.dependencies    # writes the code dependencies of every stage into dvc.yaml (`make deps`)

A stage depends on a whole package of the library where it imports more than three of its modules, else on these.
"""

import ast
from collections import defaultdict
from pathlib import Path
from typing import Any

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
CODE = ("domain_embeddings/", "stages/")
FEW = 3


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _can_change_an_out(path: Path) -> bool:
    """False for a package file that holds a docstring alone."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def _templates(path: Path) -> set[Path]:
    """The files beside a module that are named as it is: html_report.py has html_report.css."""
    return set(path.parent.glob(f"{path.stem}.*")) if path.stem != "__init__" else set()


def imported_files(module: str) -> list[str]:
    """A module and every module that it imports with its templates, as paths from the root, sorted."""
    graph = grimp.build_graph("stages", "domain_embeddings", cache_dir=None)
    modules = {module, *graph.find_upstream_modules(module)}
    files = {path for each in modules if _can_change_an_out(path := _file(each))}
    files |= {template for path in files for template in _templates(path)}
    return sorted(str(path.relative_to(ROOT)) for path in files)


def needed(module: str) -> list[str]:
    """What dvc.yaml declares of the code that a module imports: files and packages, sorted."""
    files = imported_files(module)
    packages: dict[str, list[str]] = defaultdict(list)
    for file in files:
        top, package, *below = file.split("/")
        if top == "domain_embeddings" and below and package != "params":  # a section's params are a stage's own
            packages[f"{top}/{package}"].append(file)
    whole = {package for package, members in packages.items() if len(members) > FEW}
    return sorted(whole | {file for file in files if not any(file.startswith(f"{package}/") for package in whole)})


def declared(stage: dict[str, Any]) -> list[str]:
    """The code among a stage's dependencies in dvc.yaml."""
    return sorted(dep for dep in stage.get("do", stage)["deps"] if dep.startswith(CODE))


def main() -> None:
    """Bring dvc.yaml up to date with the imports."""
    yaml = YAML()
    yaml.width = 200
    path = ROOT / "dvc.yaml"
    pipeline = yaml.load(path)
    for name, stage in pipeline["stages"].items():
        body = stage.get("do", stage)
        body["deps"] = [dep for dep in body["deps"] if not dep.startswith(CODE)] + needed(f"stages.{name}")
    yaml.dump(pipeline, path)


if __name__ == "__main__":
    main()
