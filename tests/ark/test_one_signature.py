"""One signature has one meaning: nothing that is moved, repeated or added under it changes what is carried out."""

import json
import socket
from datetime import UTC, datetime

import pytest
from served import MODEL, Rig

from reconciler.platforms.embedded.signing import Request, Scope, canonical_query, signature

BODY = json.dumps({"FoundationModelName": MODEL}).encode()
READS, WRITES = "Action=ListEndpoints&Version=2024-01-01", "Action=TestCloseModel&Version=2024-01-01"


def ask(
    rig: Rig, target: str, *lines: str, signed_query: str, signed: str = "host;x-date", first: tuple[str, ...] = ()
) -> tuple[int, dict]:
    """A POST of `target` as it stands, with more header `lines` (some `first`), under a signature made for `signed_query`."""
    host = rig.url.removeprefix("http://")
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    scope = Scope(rig.keys.access_key, now[:8], "cn-beijing", "ark")
    sent = Request("POST", signed_query, {"host": host, "x-date": now, "content-type": "application/json"}, BODY)
    made = signature(sent, signed, scope, rig.keys.secret_key)
    by = f"HMAC-SHA256 Credential={scope.access_key}/{scope}, SignedHeaders={signed}, Signature={made}"
    head = [
        f"POST {target} HTTP/1.1", *first, f"Host: {host}", f"X-Date: {now}", f"Authorization: {by}",
        "Content-Type: application/json", "Connection: close", f"Content-Length: {len(BODY)}", *lines,
    ]  # fmt: skip
    address, port = host.split(":")
    with socket.create_connection((address, int(port)), 5) as it:
        it.sendall("\r\n".join((*head, "", "")).encode("latin-1") + BODY)
        answer = b"".join(iter(lambda: it.recv(65536), b""))
    status, _, body = answer.partition(b"\r\n\r\n")
    return int(status.split()[1]), json.loads(body) if body.startswith(b"{") else {}


def code(answer: tuple[int, dict]) -> str:
    return str(answer[1].get("ResponseMetadata", {}).get("Error", {}).get("Code", ""))


def test_what_is_sent_as_signed_is_carried_out(rig: Rig) -> None:
    status, body = ask(rig, f"/?{READS}", signed_query=READS)
    assert (status, body["ResponseMetadata"]["Action"]) == (200, "ListEndpoints")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Action=ListEndpoints", "Action=GetApiKey"),
        ("Version=2024-01-01", "Version=2020-01-01"),
        ("Note=a", "Note=b"),
        ("Action=ListEndpoints", "%41ction=GetApiKey"),
    ],
)
def test_a_parameter_that_stands_twice_is_refused_in_either_order(rig: Rig, first: str, second: str) -> None:
    rest = "&".join(part for part in READS.split("&") if not part.startswith(first.partition("=")[0]))
    for query in (f"{first}&{second}&{rest}", f"{second}&{first}&{rest}"):
        answer = ask(rig, f"/?{query}", signed_query=query)
        assert (answer[0], code(answer)) == (400, "InvalidParameter")
    moved = ask(rig, f"/?{second}&{first}&{rest}", signed_query=f"{first}&{second}&{rest}")
    assert code(moved) == "SignatureDoesNotMatch"


def test_equal_names_keep_the_order_in_which_they_were_sent() -> None:
    """As the vendor's page on signing says: names are sorted, the values of one name stay in the request's order."""
    assert canonical_query("b=1&a=2&a=1") == "a=2&a=1&b=1"
    assert canonical_query("b=1&a=1&a=2") == "a=1&a=2&b=1"
    assert canonical_query("a-b=1&a=2&a%20b=3") == "a=2&a%20b=3&a-b=1"


@pytest.mark.parametrize(
    "added", ["#&Action=TestCloseModel", "#&Action=TestCloseModel&Version=2024-01-01", "&x=1", "&Action="]
)
def test_nothing_that_is_added_behind_the_signed_query_is_read(rig: Rig, added: str) -> None:
    assert code(ask(rig, f"/?{READS}{added}", signed_query=READS)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["X-Date", "Host", "Authorization", "X-Content-Sha256", "Content-Type"])
def test_a_header_of_the_signature_that_stands_twice_is_refused(rig: Rig, name: str) -> None:
    value = {"X-Date": "20200101T000000Z", "Host": "elsewhere"}.get(name, "x")
    lines = [f"{name}: {value}"] * (2 if name == "X-Content-Sha256" else 1)
    for at in ({"first": tuple(lines)}, {}):
        status, _ = ask(
            rig, f"/?{READS}", *(() if at else lines), signed_query=READS, signed="content-type;host;x-date", **at
        )
        assert 400 <= status < 500


def test_a_header_that_is_not_part_of_the_signature_may_stand_twice(rig: Rig) -> None:
    assert ask(rig, f"/?{READS}", "Via: a", "Via: b", signed_query=READS)[0] == 200


def test_a_signature_for_a_read_carries_out_no_write_by_a_host_that_holds_a_query(rig: Rig) -> None:
    """Clients sign without the host too; what is signed is the query of the request line and nothing else."""
    host = rig.url.removeprefix("http://")
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    scope = Scope(rig.keys.access_key, now[:8], "cn-beijing", "ark")
    made = signature(Request("POST", READS, {"x-date": now}, BODY), "x-date", scope, rig.keys.secret_key)
    by = f"HMAC-SHA256 Credential={scope.access_key}/{scope}, SignedHeaders=x-date, Signature={made}"
    address, port = host.split(":")
    with socket.create_connection((address, int(port)), 5) as it:
        it.sendall(
            f"POST /?{WRITES} HTTP/1.1\r\nHost: {host}/?{READS}#\r\nX-Date: {now}\r\nAuthorization: {by}\r\n"
            f"Connection: close\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
            + BODY
        )
        answer = b"".join(iter(lambda: it.recv(65536), b""))
    assert 400 <= int(answer.split()[1]) < 500


@pytest.mark.parametrize("lines", [["Authorization: Bearer guess"], ["Authorization: Bearer {key}"]])
@pytest.mark.parametrize("path", ["/modelpolicy/faults", "/api/v3/chat/completions"])
def test_two_keys_on_one_request_are_none(rig: Rig, path: str, lines: list[str]) -> None:
    address, port = rig.url.removeprefix("http://").split(":")
    said = "".join(f"{line}\r\n" for line in ["Authorization: Bearer {key}", *lines]).format(key=rig.keys.api_key)
    with socket.create_connection((address, int(port)), 5) as it:
        it.sendall(
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{said}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        answer = b"".join(iter(lambda: it.recv(65536), b""))
    assert answer.split()[1] == b"401"


def test_a_body_whose_end_is_said_in_two_ways_is_refused_though_it_is_signed(rig: Rig) -> None:
    status, _ = ask(rig, f"/?{READS}", "Transfer-Encoding: chunked", signed_query=READS)
    assert status == 400
