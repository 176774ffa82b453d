"""`modelpolicy console`: the read-only page over policy, fed by a loop of its own that never writes."""

from typing import Any

import click

from reconciler.cli import common as shared
from reconciler.cli import looping, opening, sets, watch
from reconciler.cli.audience import Audience
from reconciler.cli.common import Common, Exit
from reconciler.cli.diary import Diary
from reconciler.cli.endings import Stop
from reconciler.cli.stopping import stopping
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Address, Duration
from reconciler.controller import Controller, Settings
from reconciler.sources.folders import Folders


@click.command(
    epilog=shared.examples(
        ("modelpolicy console policies/", "on http://127.0.0.1:8901"),
        ("modelpolicy console --interval 5s --listen :0", "on any free port"),
        ("modelpolicy console --listen 0.0.0.0:8901 --token-file token", "for others, with a token"),
    )
)
@shared.options("paths", "account", "ledger", "set")
@click.option("--interval", type=Duration(), default="15s", show_default=True, help="From one look to the next.")
@click.option(
    "--listen", type=Address(), default=":8901", show_default=True, envvar="MODELPOLICY_CONSOLE_LISTEN",
    help="Where to listen: loopback unless a host is said; plain HTTP.",
)  # fmt: skip
@looping.listen_name
@click.option(
    "--token-file", metavar="FILE", type=click.Path(dir_okay=False), envvar="MODELPOLICY_CONSOLE_TOKEN_FILE",
    help="Ask for the token in FILE, which is made (mode 0600) where it is absent. Needed on anything but loopback.",
)  # fmt: skip
@click.pass_obj
def command(terminal: Terminal, /, common: Common, **flags: Any) -> Exit:
    """Show, on a page that only reads, what the policies at PATH want beside what is true, why they differ, and what happens
    next: models, limits, rates, prices, the plan, drift and history, live. Nothing is ever written: changes go through files.
    """
    try:
        from reconciler import serving
        from reconciler.cli import showing
        from reconciler.console.application import application
    except ModuleNotFoundError as missing:
        raise Stop(f"the console needs the package {missing.name}; run: pip install 'modelpolicy[serve]'") from missing
    host, port = flags["listen"]
    gate = showing.gate(host, flags["token_file"])
    if gate is None:
        raise click.UsageError(f"{host} is not loopback: say --token-file FILE, so that not everybody may look")
    settings = Settings(
        interval_s=flags["interval"], write=False, declaration_set=sets.declaration_set(common),
        account=common.account,
    )  # fmt: skip
    audience = Audience(Diary(terminal, opening.clock(), as_json=False))
    with opening.ledger(common.ledger) as ledger, stopping() as stop:
        desk = showing.desk(ledger)
        audience.passes[:] = [lambda done: desk.publish(done.report)]  # the page tells what passes find, not the log
        audience.accounts.append(desk.keep)
        source = watch.Watched(Folders(common.paths, None), audience)
        world = watch.world(ledger, audience, create=False)
        options = serving.Options(names=flags["listen_names"], say=lambda said: terminal.note(f"warning: {said}"))
        with serving.in_background(application(desk, gate), serving.listen(host, port), options) as url:
            how = f"{url}/?token=… with the token in {flags['token_file']}" if gate.token else url
            terminal.note(f"the console is on {how}; stop with Ctrl-C")
            Controller(source, world, settings).run(stop.event)
    return stop.code(Exit.INTERRUPTED)
