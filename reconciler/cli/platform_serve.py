"""`modelpolicy platform serve`: the embedded platform over HTTP with Ark's wire protocol, until it is interrupted."""

import ipaddress
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import common as shared
from reconciler.cli import looping
from reconciler.cli.common import Common, Exit
from reconciler.cli.endings import Stop, Terminated
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Address, DatabaseFile

if TYPE_CHECKING:
    from reconciler.kinds.platform_account import Actions

DEFAULT_LISTEN = "127.0.0.1:8900"


@click.command(
    short_help="Serve it over HTTP, with Ark's protocol.",
    epilog=shared.examples(
        ("modelpolicy platform serve", f"on {DEFAULT_LISTEN}"),
        ("modelpolicy platform serve --listen 127.0.0.1:0 --db rehearsal.db --keys keys.json", ""),
        ("modelpolicy platform serve --actions policies/account.yaml", "with the account's private actions"),
    ),
)
@click.option(
    "--listen", type=Address(), default=DEFAULT_LISTEN, show_default=True, envvar="MODELPOLICY_PLATFORM_LISTEN",
    help="Where to listen. Plain HTTP: anything but loopback is for networks you trust.",
)  # fmt: skip
@looping.listen_name
@click.option(
    "--db", type=DatabaseFile(), envvar="MODELPOLICY_DB", help="The platform's SQLite file (default: the account's)."
)
@click.option(
    "--keys", metavar="FILE", envvar="MODELPOLICY_KEYS", type=click.Path(dir_okay=False),
    help="JSON with access_key, secret_key and api_key: read when present, made for its owner only (mode 0600) when absent, "
    "and then shown once. Default: beside the database, as NAME.keys.json.",
)  # fmt: skip
@click.option(
    "--actions", "policies", metavar="PATH", multiple=True, type=click.Path(exists=True),
    help="Policies whose ark account names private actions in ark.actions: they are served too, under those names, and "
    "marked as not published by Ark. Repeatable.",
)  # fmt: skip
@shared.options("account")
@click.pass_obj
def serve(terminal: Terminal, /, listen: tuple[str, int], db: str | None, common: Common, **given: Any) -> Exit:
    """Serve the embedded platform with Ark's protocol: the control plane on / with V4 signatures, chat completions and
    embeddings under /api/v3 with a Bearer key. It echoes, and says so; usage is metered.

    Point an account at it with `platform: ark` and `ark.endpoint`, and any client of Ark with its base URL. Troubles can be
    ordered: POST /modelpolicy/faults with {"kind": "throttle", "action": "", "times": 1, "seconds": 5} and the API key; kinds are
    latency, throttle, unavailable, answer-lost, stale-read, error-in-200, no-metadata, denied, and lists that are not whole:
    stuck-page, short-list, null-items, empty-page, repeated-item, moved-total, text-total, no-total. DELETE takes them back.
    """
    try:
        from reconciler import serving
        from reconciler.platforms.embedded import server
    except ModuleNotFoundError as exc:
        raise Stop(f"serving needs the package {exc.name}; run: pip install 'modelpolicy[serve]'") from exc
    from reconciler.cli import opening
    from reconciler.cli.platform import path_of
    from reconciler.platforms.embedded import keys
    from reconciler.platforms.embedded.engine import open_engine

    private = _private_actions(given["policies"], common.account)
    path = path_of(db, None if given["policies"] else common.account)
    file = Path(given["keys"]) if given["keys"] else Path(path).with_suffix(".keys.json")
    engine = open_engine(path, opening.clock())
    try:
        held, made = keys.load_or_make(file)
        with server.listen(*listen) as listening:
            terminal.note(f"keys: {file}" + (", made now and shown this once:" if made else ""))
            if made:
                terminal.note(json.dumps(held.shown, indent=2))
            for name, action in sorted(private.model_dump(exclude_none=True).items()):
                terminal.note(f"private action, not published by Ark: {action['action']} ({name.replace('_', '-')})")
            _announce(terminal, path, serving.url_of(listening), listening.getsockname()[0])
            served = server.Served(engine=engine, keys=held, actions=private)
            options = serving.Options(names=given["listen_names"], say=lambda said: terminal.note(f"warning: {said}"))
            try:
                server.server(served, listening, options).serve_until_told()
            except Terminated:  # told to stop, it stopped: no error
                return Exit.TERMINATED
            except KeyboardInterrupt:
                return Exit.INTERRUPTED
    finally:
        engine.close()
    return Exit.OK


def _announce(terminal: Terminal, path: str, url: str, host: str) -> None:
    terminal.note(f"serving {path} on {url} (control plane) and {url}/api/v3 (data plane); stop with Ctrl-C")
    if not ipaddress.ip_address(host).is_loopback:
        terminal.note("warning: this is plain HTTP and not loopback; whoever can read the network can read the API key")


def _private_actions(policies: tuple[str, ...], account: str | None) -> "Actions":
    """The private actions of the one ark account in `policies`."""
    from reconciler.cli import opening
    from reconciler.kinds.platform_account import Actions

    if not policies:
        return Actions()
    declared = opening.read(policies).declared
    known = {name: declared.accounts[name].spec for name in opening.accounts(declared, account)}
    found = {name: spec.ark.actions for name, spec in known.items() if spec.platform == "ark"}
    if len(found) != 1:
        raise click.UsageError(
            f"--actions needs policies with one ark account, there are {len(found)}: {', '.join(sorted(found)) or 'none'}; "
            "name one with --account"
        )
    return next(iter(found.values()))
