"""The options that every verb with a loop takes, as one decorator: how often, where it listens, how it logs, who is told."""

from collections.abc import Callable
from typing import Any

import click

from reconciler.cli.types import Address, Duration, HostName, Webhook

listen_name = click.option(
    "--listen-name", "listen_names", type=HostName(), multiple=True,
    help="A name that clients call the port by, beside addresses, localhost and names within a cluster; *.NAME for all below "
    "NAME. Others are refused, so that no web site has a browser read it. Repeatable.",
)  # fmt: skip


def options(verb: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options of the loop of `verb`, as the keyword arguments interval, listen, listen_names, token_file, log_format, notify and otel."""
    shared = (
        click.option(
            "--interval", type=Duration(), default="5m", show_default=True, help="From one sweep to the next, ± 10 %."
        ),
        click.option(
            "--listen", type=Address(),
            help="Serve the console, /metrics, /livez and /readyz there; loopback unless a host is said.",
        ),
        listen_name,
        click.option(
            "--token-file", metavar="FILE", type=click.Path(dir_okay=False), envvar="MODELPOLICY_CONSOLE_TOKEN_FILE",
            help="The console asks for the token in FILE, which is made where it is absent; metrics and health stay open.",
        ),
        click.option(
            "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the log."
        ),
        click.option(
            "--notify", type=Webhook(), multiple=True,
            help="Post there when a model is paused, 80 % of a limit are used, an override ends within a day, a person is "
            "needed or drift is found. Slack's and Feishu's webhooks are known; slack+https://, feishu+https:// and "
            f"json+https:// say which. A secret: better in MODELPOLICY_{verb.upper()}_NOTIFY. Repeatable.",
        ),
        click.option(
            "--otel", is_flag=True, help="Send OpenTelemetry spans of every pass to where the OTEL_* variables say."
        ),
    )  # fmt: skip

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(shared):
            function = option(function)
        return function

    return decorate
