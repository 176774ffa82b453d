"""What the operator would do, looked at from a desk: the custom resources of a cluster, read once. Writes nothing anywhere.

With files, the cluster is asked what it would make of them (a dry run of server-side apply, with its own checks and defaults), and
the look is at the cluster as if they were applied.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import click

from reconciler import reconcile
from reconciler.cli import opening
from reconciler.cli.placing import Place
from reconciler.controller import annotations, in_cluster
from reconciler.controller.in_cluster import InCluster
from reconciler.errors import LedgerError
from reconciler.finding import Finding, Severity, in_order
from reconciler.kinds import Resource, normalised
from reconciler.platforms import ReadOnly
from reconciler.reasons import Reason
from reconciler.reconcile import Asked
from reconciler.report import Report
from reconciler.sources.kube import client
from reconciler.sources.kube.client import KubeError
from reconciler.sources.kube.cluster import Cluster, Scope
from reconciler.sources.kube.election import Seal

NO_LEASE: Final = Seal("default", "nobody", "a reader")


def reports(place: Place, account: str | None, targets: tuple[str, ...]) -> tuple[Report, ...]:
    """One look at each account of the cluster, as the operator would take it."""
    with closing(client.connect(place.kubeconfig, place.context)) as connected:
        source = _read(connected, place)
        everyone = opening.accounts(source.load().declared, account)
        return tuple(_look(source, key, targets, ()) for key in everyone)


def preview(place: Place, files: tuple[str, ...]) -> tuple[Report, ...]:
    """One look at each account that the resources in `files` are on, as if they were applied."""
    read = opening.read(files)
    with closing(client.connect(place.kubeconfig, place.context)) as connected:
        default = place.namespaces[0] if place.namespaces else connected.namespace
        resources = [replace(each, namespace=each.namespace or default) for each in read.declared.resources]
        source = _read_all(connected, place)
        refused = [*read.findings, *_applied(source.parts.cluster, resources)]
        declared = source.load().declared
        refused += [_homeless(each) for each in resources if each.account and each.account not in declared.accounts]
        accounts = sorted({each.account for each in resources if each.account} & set(declared.accounts))
        if not accounts:
            known = ", ".join(sorted(declared.accounts)) or "none"
            raise click.UsageError(
                f"no resource in the files is on a PlatformAccount of the cluster; there are: {known}"
            )
        return tuple(_look(source, key, (), in_order(refused)) for key in accounts)


def _read(connected: client.Client, place: Place) -> InCluster:
    source = in_cluster.assemble(connected, Scope(place.namespaces), NO_LEASE, opening.clock())
    try:
        source.parts.cluster.refresh()
    except LedgerError as error:
        if _forbidden(error) and not place.namespaces:
            raise LedgerError(f"{error}; name the namespaces that you may read with --namespace") from error
        raise
    return source


def _read_all(connected: client.Client, place: Place) -> InCluster:
    """The whole cluster, for an account may be in another namespace; where that may not be read, the namespaces that were named."""
    try:
        return _read(connected, replace(place, namespaces=()))
    except LedgerError as error:
        if place.namespaces and _forbidden(error.__cause__):
            return _read(connected, place)
        raise


def _forbidden(error: BaseException | None) -> bool:
    """Whether the API server refused it for want of a right."""
    cause = error.__cause__ if error is not None else None
    return isinstance(cause, KubeError) and cause.code == 403


def _homeless(resource: Resource[Any]) -> Finding:
    return Finding(
        "unknown-account",
        Severity.ERROR,
        f"there is no PlatformAccount {resource.account!r} in the cluster, so nothing would be carried out",
        "Make the account first, or name one in accountRef.",
        resource.origin,
        resource.address,
        Reason.TARGET_NOT_FOUND,
    )


def _applied(cluster: Cluster, resources: Sequence[Resource[Any]]) -> Iterator[Finding]:
    """Lay the resources over what is known of the cluster, as its own dry run makes them; what it refuses is a finding."""
    for resource in resources:
        try:
            cluster.try_out(_plain(normalised(resource)))
        except KubeError as error:
            message = f"the API server would refuse it: {error}"
            yield Finding(
                "refused-by-cluster",
                Severity.ERROR,
                message,
                "",
                resource.origin,
                resource.address,
                Reason.RULE_VIOLATION,
            )


def _look(source: InCluster, key: str, targets: tuple[str, ...], found: Sequence[Finding]) -> Report:
    loaded, ledger = source.load(), source.parts.ledger
    asked = Asked(
        account=key,
        everything=loaded.declared,
        load_findings=in_order((*loaded.findings, *found)),
        targets=targets,
        allows=annotations.allows(loaded.declared.accounts[key]),
        keep_going=True,
    )
    with closing(source.connect(asked.resource, create=False)) as platform:
        previous = reconcile.previous_statuses(ledger, key)
        return reconcile.look(asked, ReadOnly(platform), ledger.history(key), previous, source.parts.clock())


def _plain(value: Any) -> Any:
    """Without what is not said: null is no value for an API server."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if inner is not None}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
