"""A port answers to names that no web site can have: a browser that was led here is refused."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving.conftest import Port

from reconciler.serving.hosts import Hosts

LOOPBACK = [
    "localhost",
    "LOCALHOST:80",
    "localhost.",
    "127.0.0.1",
    "127.0.0.1:9464",
    "127.8.8.8",
    "[::1]",
    "[::1]:9464",
]
INSIDE = [
    "10.1.2.3:9464", "[fd00::1]:9464", "modelpolicy", "modelpolicy:9464", "this-machine.example",
    "metrics.modelpolicy-system.svc:9464", "metrics.modelpolicy-system.svc.cluster.local", "ip-10-0-0-1.ec2.internal",
    "console.example.com", "CONSOLE.EXAMPLE.COM:443", "a.b.apps.example.com",
]  # fmt: skip
FOREIGN = [
    "", " ", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.1.nip.io", "apps.example.com",
    "xapps.example.com", "a.svc.evil.example", "svc.example", "localhost:80:80", "localhost:", "localhost:http",
    "user@localhost", "localhost/", "localhost#", "localhost?x", "localhost, evil.example", "[::1", "::1]", "[::1]x",
    "local\x00host", "loc\u0430lhost", "evil.example.", "0x7f.1", "127.1.evil.example", "*.apps.example.com", "[localhost]",
]  # fmt: skip
NAMES = frozenset({"this-machine.example", "console.example.com", "*.apps.example.com"})


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_names_are_answered_everywhere(host: str) -> None:
    assert Hosts(loopback=True).admit(host)
    assert Hosts(loopback=False).admit(host)


@pytest.mark.parametrize("host", INSIDE)
def test_names_within_the_network_and_given_ones_are_answered_off_loopback(host: str) -> None:
    assert Hosts(loopback=False, names=NAMES).admit(host)
    assert not Hosts(loopback=True).admit(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_that_a_web_site_may_have_is_refused(host: str) -> None:
    assert not Hosts(loopback=True, names=NAMES).admit(host)
    assert not Hosts(loopback=False, names=NAMES).admit(host)


def test_a_given_name_is_answered_on_loopback_too() -> None:
    """Behind a proxy of this machine that hands the name on."""
    assert Hosts(loopback=True, names=NAMES).admit("console.example.com")


@given(st.text(max_size=80))
def test_any_text_is_judged(host: str) -> None:
    for loopback in (True, False):
        Hosts(loopback=loopback, names=NAMES).admit(host)


@pytest.mark.parametrize("on", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_a_port_knows_by_its_socket_where_it_listens(serve, on: str) -> None:
    if ":" in on and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    port: Port = serve(on=on, names=["Console.Example.Com"])
    port.host = "::1" if ":" in on else "127.0.0.1"
    inside = on in ("0.0.0.0", "::")
    expected = {
        "localhost": 200, "127.0.0.1:80": 200, "[::1]": 200, "console.example.com": 200, "evil.example": 421,
        "10.0.0.1:9464": 200 if inside else 421, "metrics.ns.svc": 200 if inside else 421,
        socket.gethostname(): 200 if inside else 421,
    }  # fmt: skip
    assert {host: port.get(host=host) for host in expected} == expected
