"""A resource refers to a PlatformAccount that is not declared, could not be loaded, or does not let it in.

Why: without its account nobody knows which platform the resource is meant for, so nothing of it is carried out.
What to do: correct accountRef, or declare the account. In a cluster the account lists the namespaces beside its own whose
resources may use it in allowedNamespaces. Without any PlatformAccount in files there is one: default, on the embedded platform.
"""

import difflib
from collections.abc import Iterator
from typing import Any

from reconciler.finding import Finding, Location, Severity
from reconciler.kinds import Resource
from reconciler.kinds.common import PolicySpec
from reconciler.reasons import Reason
from reconciler.rules import Context, Rule, Scope


def _check(context: Context) -> Iterator[Finding]:
    accounts = context.everything.accounts
    broken = {held.account or held.name: held for held in context.everything.held if held.kind == "PlatformAccount"}
    unread = next((held for held in context.everything.held if not held.kind), None)
    near: dict[str, str] = {}  # one search for each unknown name, however many resources bear it
    for resource in context.everything.resources:
        if not isinstance(resource.spec, PolicySpec):
            continue
        key = resource.account
        held = broken.get(key)
        account = accounts.get(key)
        if held is not None:
            yield RULE.finding(
                f"PlatformAccount {key} could not be loaded ({held.location}), so nothing is carried out on it",
                resource,
                _place(resource),
                hint=f"Mend the account at {held.location}.",
                follows=held.location,
            )
        elif account is None and unread is not None:
            yield RULE.finding(
                f"there is no PlatformAccount {key!r} in what could be read",
                resource,
                _place(resource),
                hint=f"Mend {unread.location} first: it may declare the account.",
                follows=unread.location,
            )
        elif account is None:
            if key not in near:
                close = difflib.get_close_matches(key, accounts, 1) if len(near) < 20 else []
                near[key] = f"Did you mean {close[0]!r}?" if close else f"Declare a PlatformAccount named {key!r}."
            yield RULE.finding(f"there is no PlatformAccount {key!r}", resource, _place(resource), hint=near[key])
        elif resource.namespace not in (account.namespace, *account.spec.allowed_namespaces):
            yield RULE.finding(
                f"PlatformAccount {key} does not allow resources of namespace {resource.namespace!r}",
                resource,
                _place(resource),
                hint=f"Add {resource.namespace!r} to allowedNamespaces of {account.address}.",
            )


def _place(resource: Resource[Any]) -> Location:
    return resource.at("spec", "accountRef", "name")


RULE = Rule(
    id="unknown-account", severity=Severity.ERROR, reason=Reason.TARGET_NOT_FOUND, check=_check, scope=Scope.SET
)
