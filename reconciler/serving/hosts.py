"""Which names a port answers to, by the Host header of a request: no web site can have a browser ask for it (DNS rebinding).

A browser that a web site leads here sends that site's own name, which is one that the public DNS knows. On loopback a port
answers to loopback names alone. Elsewhere it answers to what no web site can be called: addresses (a kubelet probes a pod by
its address, Prometheus scrapes by it), this machine's own name, names without a dot, names within a cluster (.svc) and
.internal; and to the names it was given. Pure.
"""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_INSIDE: Final = (".svc", ".svc.cluster.local", ".internal")


@dataclass(frozen=True, slots=True)
class Hosts:
    """`loopback`: the port listens on loopback; `names`: more names it answers to, in lower case, "*.NAME" for those below."""

    loopback: bool
    names: frozenset[str] = frozenset()

    def admit(self, host: str) -> bool:
        """Whether a request with this Host header, port and all, is answered."""
        name = name_of(host)
        if not name:
            return False
        if name in self.names or any(f"*{name[dot:]}" in self.names for dot in _dots(name)):
            return True
        if self.loopback or is_loopback(name):
            return is_loopback(name)
        return _is_address(name) or "." not in name or name.endswith(_INSIDE)


def name_of(host: str) -> str:
    """The name or address in a Host header, in lower case and without brackets; "" where it is none."""
    found = _HOST.fullmatch(host)
    return found[1].lower().removeprefix("[").removesuffix("]").removesuffix(".") if found else ""


def is_loopback(host: str) -> bool:
    """Whether a Host header, or a host, names this machine and nothing else."""
    name = host.lower() if host.count(":") > 1 and not host.startswith("[") else name_of(host)
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _dots(name: str) -> list[int]:
    return [at for at, letter in enumerate(name) if letter == "."]
