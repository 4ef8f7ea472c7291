"""Command line of the library: `domain-embeddings COMMAND`, or `python -m domain_embeddings COMMAND`."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "search": "search_commands.search",
    "index": "search_commands.index",
    "compare": "search_commands.compare",
    "rollback": "search_commands.rollback",
    "serve": "search_commands.serve",
    "verify": "verify.verify",
    "verify-log": "verify.verify_log",
    "package": "package_model.package_model",
    "sign": "sign.sign",
    "gate": "gate.gate",
    "pr-report": "pull_request.pr_report",
    "relock": "relock.relock",
}
"""Every command, and the function in this package that it is. It is imported when it is asked for."""


class _Lazy(TyperGroup):
    """Who gates a change does not wait for the libraries of a search."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(".")
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(cmd_name)(getattr(importlib.import_module(f"{__package__}.{module}"), function))
        return typer.main.get_command(alone)


app = typer.Typer(cls=_Lazy, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Search with packaged models, check and sign them, and judge changes of the pipeline."""
