"""The command `modelpolicy`: a static table of verbs, so that --help and --version import no verb and nothing heavy."""

import contextlib
import difflib
import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

import click
from click.shell_completion import CompletionItem

from reconciler import __version__
from reconciler.cli import endings, environment, streams
from reconciler.cli.exits import Exit

# By what they are for, within a group in the order of work. Each is the module reconciler.cli.<verb> ("import" is import_),
# with a click command `command`.
GROUPS: Final = {
    "Everyday": {
        "fmt": "Put policy files in canonical order, comments kept.",
        "validate": "Check the files: schema, references, rules and constraints.",
        "plan": "Show what would change, and why.",
        "show": "Render a saved plan again.",
        "apply": "Make the platform as declared, after you said yes.",
        "attest": "Record that a person did what the plan calls manual.",
        "watch": "Keep the platform as declared, until told to stop.",
        "operator": "The same for the custom resources of a Kubernetes cluster.",
    },
    "Look": {
        "status": "Show what is wrong, and how models and endpoints stand.",
        "drift": "Show what differs from the files, and which side moved.",
        "history": "Show past runs: what was changed, by whom and why.",
        "console": "Show it live on a web page that only reads.",
        "explain": "Explain a kind, field, finding, guard, reason or exit code.",
    },
    "Emergency": {
        "release": "Hand an item over: kept on the platform, no longer managed.",
        "unlock": "Break the lock of a dead run.",
        "ledger": "Move, back up and restore the ledger, and mend what it knows.",
    },
    "Set-up": {
        "platform": "The embedded platform: seed it, spend on it, serve it.",
        "doctor": "Examine an account: what works, what is manual, what to do.",
        "import": "Write what is live as declarations, comments kept.",
        "schema": "Print JSON Schema and CRDs, made from the kinds.",
        "completion": "Print the completion script of a shell.",
    },
}
VERBS: Final = {verb: line for verbs in GROUPS.values() for verb, line in verbs.items()}
PREFIX: Final = "MODELPOLICY"
COMPLETION_VARIABLE: Final = "_MODELPOLICY_COMPLETE"
# The flags that verbs share, by the names that click gives them.
SHARED: Final = ("account", "targets", "ledger", "outputs", "color")
EXAMPLES: Final = """\b
Examples:
  modelpolicy validate policies/             check the files, offline
  modelpolicy plan policies/                 what would change, and why
  modelpolicy apply policies/                change it, after you said yes
  modelpolicy status                         what is wrong, and how every model stands
  modelpolicy status search-prod             all about one model, endpoint or resource
  modelpolicy explain InferenceLimit.tokens  what a word means
  modelpolicy VERB --help                    every flag of a verb, with examples

\b
Exit codes:
  0 fine   1 unexpected, auth or network   2 changes or drift   3 invalid input
  4 guard refused   5 stale   6 locked   7 partial   64 usage   130/143 interrupted

\b
Environment:
  Every flag has a variable: MODELPOLICY_<VERB>_<FLAG>, e.g. MODELPOLICY_PLAN_PRUNE=1.
  Flags that verbs share have a plain one too: MODELPOLICY_ACCOUNT, MODELPOLICY_TARGET,
  MODELPOLICY_LEDGER, MODELPOLICY_OUTPUT, MODELPOLICY_COLOR. Lists are split at spaces.
  A variable that is set and empty is a usage error: it is a secret that is missing.
  NO_COLOR and CI are honoured; MODELPOLICY_DEBUG=1 shows tracebacks.
"""


class Root(click.Group):
    """A group whose verbs are known by the table and imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's shape
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_") + ("_" if keyword.iskeyword(cmd_name) else "")
        command: click.Command = importlib.import_module(f"reconciler.cli.{name}").command
        environment.named(command, f"{PREFIX}_{cmd_name}")
        return _own_first(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the verbs are {', '.join(VERBS)}."
            raise click.UsageError(f"there is no verb {args[0]!r}: {hint}", ctx)
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            environment.check(ctx, command, rest)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        widest = max(map(len, VERBS))
        for title, verbs in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(verb.ljust(widest), line) for verb, line in verbs.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        verbs = [CompletionItem(name, help=line) for name, line in VERBS.items() if name.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> NoReturn:
        """Run and exit, whatever happens; see `endings`."""
        if os.environ.get(COMPLETION_VARIABLE):
            self._complete()
        sys.exit(endings.run(self, sys.argv[1:] if args is None else list(args)))

    def _complete(self) -> None:
        """Answer a shell that completes a line: whatever is wrong with the line or the world, without a word on the terminal."""
        nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as the process lives
        with contextlib.redirect_stderr(nowhere), contextlib.suppress(Exception):
            self._main_shell_completion({}, endings.COMMAND, COMPLETION_VARIABLE)
        sys.exit(Exit.UNEXPECTED)


def _own_first(command: click.Command) -> click.Command:
    """The command with the flags that only it has before those that every verb shares, which a reader knows already."""
    command.params.sort(key=lambda one: isinstance(one, click.Option) and one.name in SHARED)
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _own_first(inner)
    return command


ROOT: Final = Root(
    name=endings.COMMAND,
    help="Model access policy as code: which LLM models are activated, how many tokens each may use, how fast each "
    "endpoint may run. Declare it in files, review the plan, apply it, keep it there.",
    epilog=EXAMPLES,
    subcommand_metavar="VERB [ARGS]...",
    context_settings={
        "auto_envvar_prefix": PREFIX,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
click.version_option(__version__, message="modelpolicy %(version)s")(ROOT)


def main() -> NoReturn:
    """The console script."""
    streams.secure()
    ROOT.main()
