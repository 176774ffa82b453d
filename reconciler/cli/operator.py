"""`modelpolicy operator`: the loop on the custom resources of a Kubernetes cluster."""

import os
import random
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

import click

from reconciler.cli import common as shared
from reconciler.cli import looping, opening
from reconciler.cli.audience import Audience, Shown, listening, notifying, tracing
from reconciler.cli.common import Exit
from reconciler.cli.diary import Diary
from reconciler.cli.stopping import stopping
from reconciler.cli.terminal import Terminal
from reconciler.cli.types import Duration
from reconciler.controller import Controller, Settings, World, in_cluster
from reconciler.controller.in_cluster import InCluster
from reconciler.sources.kube import client, selecting
from reconciler.sources.kube.cluster import Cluster, Scope
from reconciler.sources.kube.election import Seal

DEAF_S: Final = 300.0  # a watch is asked anew long before; who hears nothing for that long has lost the server


@dataclass(frozen=True, slots=True)
class _Health:
    """The loop's health and the cluster's: red where a pass is stuck or nothing is heard of the cluster."""

    controller: Controller
    cluster: Cluster

    @property
    def depth(self) -> int:
        return self.controller.depth

    @property
    def stuck_s(self) -> float:
        silent_s = self.cluster.silent_s()
        return max(self.controller.stuck_s, silent_s if silent_s > DEAF_S else 0.0)

    @property
    def ready(self) -> bool:
        return self.controller.ready


def _selector(ctx: click.Context, param: click.Parameter, value: str) -> str:
    try:
        selecting.by_labels(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    return value


@click.command(
    epilog=shared.examples(
        ("modelpolicy operator", "all namespaces, by the pod's own service account"),
        ("modelpolicy operator --namespace team-a --namespace team-b", "with Roles in two namespaces only"),
        ("modelpolicy operator --selector shard=1", "one of several, each with some accounts"),
        ("modelpolicy operator --context kind-dev --listen :9090", "from your desk"),
    )
)
@click.option(
    "--namespace", "-n", "namespaces", multiple=True, metavar="NAME", help="Only there (repeatable; default: all)."
)
@click.option(
    "--selector",
    "-l",
    default="",
    metavar="LABELS",
    callback=_selector,
    help="Only PlatformAccounts with these labels.",
)
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="Default: the pod's own, else kubectl's."
)
@click.option("--context", "context_name", metavar="NAME", help="A context of the kubeconfig.")
@click.option(
    "--lease-namespace",
    metavar="NAME",
    help="Where the lease is (default: the pod's own namespace, else the context's).",
)
@click.option("--lease-name", default="modelpolicy-operator", show_default=True, metavar="NAME", help="One a shard.")
@click.option(
    "--lease-duration", type=Duration(), default="15s", show_default=True, help="After which a standby takes over."
)
@looping.options("operator")
@click.pass_obj
def command(terminal: Terminal, /, **flags: Any) -> Exit:
    """Keep the platform as the custom resources of a cluster say, until told to stop.

    Every resource tells in its status how it stands. One operator leads, by a Lease; others stand by and go on where it
    stopped. SIGTERM finishes what is in flight, publishes it and frees the lease.
    """
    diary = Diary(terminal, opening.clock(), as_json=flags["log_format"] == "json")
    connected = client.connect(flags["kubeconfig"], flags["context_name"])
    scope = Scope(tuple(sorted(set(flags["namespaces"]))), flags["selector"])
    space = flags["lease_namespace"] or connected.namespace
    seal = Seal(space, flags["lease_name"], f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}", flags["lease_duration"])
    source = in_cluster.assemble(connected, scope, seal, opening.clock())
    audience = Audience(diary)
    source.hear.append(audience.passed)
    source.known = audience.declared
    source.trouble = lambda message: diary.say(
        "trouble", "", message, level="info" if message == in_cluster.HEARD else "error"
    )
    controller = Controller(source, _world(source, audience, seal), Settings(interval_s=flags["interval"]))
    shown = Shown(source.parts.ledger, flags["token_file"], flags["listen_names"])
    with (
        stopping(diary.stopping) as stop,
        notifying(flags["notify"], audience),
        tracing(wanted=flags["otel"], audience=audience),
        listening(flags["listen"], _Health(controller, source.parts.cluster), audience, shown),
        in_cluster.listening(source, stop.event) as synced,
    ):
        if synced:
            controller.run(stop.event)
    connected.close()
    return stop.code(Exit.INTERRUPTED)


def _world(source: InCluster, audience: Audience, seal: Seal) -> World:
    return World(
        clock=source.parts.clock,
        monotonic=time.monotonic,
        random=random.random,
        connect=lambda account: audience.telling(account.account, source.connect(account)),
        ledger=source.parts.ledger,
        actor=f"operator {seal.identity} pid {os.getpid()}",
        revision=lambda: "",
        ear=audience.diary,
        step=audience.step,
        waited=audience.waited,
    )
