"""`modelpolicy completion`: the script that makes a shell complete verbs and flags. Reads nothing, writes nothing."""

from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

from reconciler.cli import common
from reconciler.cli.endings import COMMAND
from reconciler.cli.exits import Exit
from reconciler.cli.root import COMPLETION_VARIABLE, ROOT
from reconciler.cli.terminal import Terminal

SHELLS: Final = ("bash", "zsh", "fish")


@click.command(
    epilog=common.examples(
        ('eval "$(modelpolicy completion bash)"', "bash, for this session or in ~/.bashrc"),
        ('eval "$(modelpolicy completion zsh)"', "zsh, the same in ~/.zshrc"),
        ("modelpolicy completion fish > ~/.config/fish/completions/modelpolicy.fish", ""),
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def command(terminal: Terminal, shell: str) -> Exit:
    """Print the script that makes SHELL complete verbs, flags and values."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.BadParameter(f"no completion for {shell}")
    # ShellComplete's own source: bash's asks the bash that is installed for its version, which the reader's may not be.
    terminal.artefact(ShellComplete.source(kind(ROOT, {}, COMMAND, COMPLETION_VARIABLE)))
    return Exit.OK
