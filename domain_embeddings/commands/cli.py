"""Command line of the library: `domain-embeddings COMMAND`, or `python -m domain_embeddings COMMAND`."""

import importlib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from domain_embeddings import missing

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
    "tune": "tuning.tune.tune",
}
"""Every command, and the function in this package that it is. It is imported when it is asked for."""
EXTRAS = {
    "search": "search",
    "index": "search",
    "compare": "search",
    "rollback": "search",
    "serve": "serve",
    "verify": "sign",
    "package": "train",
    "sign": "sign",
    "gate": "pipeline",
    "pr-report": "pipeline",
    "relock": "pipeline",
    "tune": "pipeline",
}
"""Command → the extra that brings what it imports beyond the core; `verify` does so where it is given a key."""
_ANY = {"ignore_unknown_options": True, "allow_extra_args": True}


class _Lazy(TyperGroup):
    """Who gates a change does not wait for the libraries of a search, or need them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].rsplit(".", 1)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        try:
            alone.command(cmd_name)(getattr(importlib.import_module(f"{__package__}.{module}"), function))
        except ModuleNotFoundError as error:
            needs = rf"Needs more: pip install 'domain-embeddings\[{EXTRAS.get(cmd_name)}]'."  # \[: it is no markup
            alone.command(cmd_name, help=needs, context_settings=_ANY)(_raising(error))
        return typer.main.get_command(alone)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            said = missing(f"`{ctx.invoked_subcommand}`", EXTRAS.get(ctx.invoked_subcommand), error)
            if said is error:
                raise
            from domain_embeddings.core.errors import give_up  # only here: an error is no common case

            give_up(said, 2)


def _raising(error: ModuleNotFoundError) -> Callable[[], None]:
    """What stands in for a command whose libraries are missing: `--help` lists it, and a call of it says why."""

    def stand_in() -> None:
        raise error

    return stand_in


app = typer.Typer(cls=_Lazy, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Search with packaged models, check and sign them, and judge changes of the pipeline."""
