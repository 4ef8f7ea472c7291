"""Which files of this repo a stage's script imports, directly or not, and what dvc.yaml declares.

python -m tests.dependencies    # writes the code dependencies of every stage into dvc.yaml (`make deps`)
"""

import ast
from pathlib import Path

import grimp
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent
CODE = ("domain_embeddings/", "stages/")


def _file(module: str) -> Path:
    path = ROOT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _can_change_an_out(path: Path) -> bool:
    """False for a package file that holds a docstring alone."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


def _templates(path: Path) -> set[Path]:
    """The files beside a module that are named as it is: page.py has page.css."""
    return set(path.parent.glob(f"{path.stem}.*")) if path.stem != "__init__" else set()


def imported_files(module: str) -> list[str]:
    """A module and every module that it imports with its templates, as paths from the root, sorted."""
    graph = grimp.build_graph("stages", "domain_embeddings", cache_dir=None)
    modules = {module, *graph.find_upstream_modules(module)}
    files = {path for each in modules if _can_change_an_out(path := _file(each))}
    files |= {template for path in files for template in _templates(path)}
    return sorted(str(path.relative_to(ROOT)) for path in files)


def declared_files(stage: dict) -> list[str]:
    """The code among a stage's dependencies in dvc.yaml."""
    return sorted(dep for dep in stage.get("do", stage)["deps"] if dep.startswith(CODE))


def main() -> None:
    """Bring dvc.yaml up to date with the imports."""
    yaml = YAML()
    yaml.width = 120
    path = ROOT / "dvc.yaml"
    pipeline = yaml.load(path)
    for name, stage in pipeline["stages"].items():
        body = stage.get("do", stage)
        body["deps"] = [dep for dep in body["deps"] if not dep.startswith(CODE)] + imported_files(f"stages.{name}")
    yaml.dump(pipeline, path)


if __name__ == "__main__":
    main()
