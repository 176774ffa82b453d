"""The served platform accepts exactly what the vendor's clients sign."""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.console.gate import Answer, Gate
from reconciler.platforms.embedded.keys import Keys
from reconciler.platforms.embedded.signing import Request, Scope, signature, verify
from reconciler.platforms.embedded.wire import WireError

BODY = b'{"PageNumber": 1, "PageSize": 10}'
NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
GOLDEN = "0cb40aa5271d837f61cdd724d83e95e82c4eadc3c4d1e59cb206bf7fdaac9a6d"
SIGNED = "content-type;host;x-content-sha256;x-date"


def request(**headers: str) -> Request:
    sent = {
        "content-type": "application/json",
        "host": "open.volcengineapi.com",
        "x-content-sha256": hashlib.sha256(BODY).hexdigest(),
        "x-date": "20250102T030405Z",
        "authorization": f"HMAC-SHA256 Credential=AKTEST/20250102/cn-beijing/ark/request, "
        f"SignedHeaders={SIGNED}, Signature={GOLDEN}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Request("POST", "Action=ListEndpoints&Version=2024-01-01", sent, BODY)


def code(sent: Request, now: datetime = NOW, access_key: str = "AKTEST", secret_key: str = "SKTEST") -> str:
    with pytest.raises(WireError) as caught:
        verify(sent, access_key, secret_key, now)
    assert "SKTEST" not in str(caught.value)
    return caught.value.code


def test_the_golden_vector_of_the_vendors_sdk_verifies() -> None:
    assert hashlib.sha256(BODY).hexdigest() == "189de813e3ed8f2db070ede8038672365c9c8ae40d071e9dc4736b0c37b6f59a"
    assert verify(request(), "AKTEST", "SKTEST", NOW) == Scope("AKTEST", "20250102", "cn-beijing", "ark")


@pytest.mark.parametrize("signed", ["host;x-content-sha256;x-date", "x-content-sha256;x-date", "x-date"])
def test_any_list_of_signed_headers_is_honoured(signed: str) -> None:
    scope = Scope("AKTEST", "20250102", "cn-beijing", "ark")
    made = signature(request(), signed, scope, "SKTEST")
    header = f"HMAC-SHA256 Credential=AKTEST/{scope}, SignedHeaders={signed}, Signature={made}"
    assert verify(request(authorization=header), "AKTEST", "SKTEST", NOW) == scope


def test_ports_80_and_443_are_not_part_of_the_signed_host_and_others_are() -> None:
    assert verify(request(host="open.volcengineapi.com:443"), "AKTEST", "SKTEST", NOW)
    assert code(request(host="open.volcengineapi.com:8900")) == "SignatureDoesNotMatch"


def test_a_wrong_secret_another_body_or_another_query_is_a_signature_that_does_not_match() -> None:
    assert code(request(), secret_key="other") == "SignatureDoesNotMatch"
    assert code(replace(request(), body=b"{}")) == "SignatureDoesNotMatch"
    assert code(replace(request(), query="Action=DeleteEndpoint&Version=2024-01-01")) == "SignatureDoesNotMatch"


def test_what_is_missing_or_malformed_has_the_gateways_own_code() -> None:
    assert code(request(authorization="")) == "MissingRequestInfo"
    assert code(request(authorization="Bearer abc")) == "InvalidAuthorization"
    assert code(request(x_date="")) == "MissingRequestInfo"
    assert code(request(x_date="yesterday")) == "InvalidTimestamp"
    assert code(request(x_date="20259902T030405Z")) == "InvalidTimestamp"
    assert code(request(x_security_token="sts")) == "InvalidSecretToken"
    assert code(request(), access_key="AKOTHER") == "InvalidAccessKey"
    other = request().headers["authorization"]
    assert code(request(authorization=other.replace("/ark/", "/ecs/"))) == "ServiceNotFound"
    assert code(request(authorization=other.replace("/20250102/", "/20250103/"))) == "InvalidCredential"
    assert code(request(authorization=other.replace("/request,", ","))) == "InvalidCredential"


def test_a_clock_more_than_fifteen_minutes_off_is_an_invalid_timestamp() -> None:
    assert verify(request(), "AKTEST", "SKTEST", NOW + timedelta(minutes=15))
    assert code(request(), now=NOW + timedelta(minutes=15, seconds=1)) == "InvalidTimestamp"
    assert code(request(), now=NOW - timedelta(minutes=16)) == "InvalidTimestamp"


@given(st.text(), st.text(), st.text(), st.binary())
def test_no_header_query_or_body_makes_verification_fail_with_anything_but_its_own_error(
    authorization: str, date: str, query: str, body: bytes
) -> None:
    headers = {"authorization": authorization, "x-date": date, "host": query}
    with pytest.raises(WireError):
        verify(Request("POST", query, headers, body), "AKTEST", "SKTEST", NOW)


def test_keys_signatures_and_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the one comparison whose time says nothing of how much was right."""
    compared: list[object] = []
    real = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.extend((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    code(request(), access_key="AKOTHER")
    code(request(), secret_key="SKTEST-")
    keys = Keys("access", "secret", "the-api-key")
    assert not keys.admits("a-guess", frozenset(), NOW)
    assert not keys.admits("99999999999~ep-1.a-forged-seal", frozenset({"ep-1"}), NOW)
    gate = Gate("the-console-token")
    assert gate.asks({"authorization": "Bearer another-guess"}, {}, "") is Answer.TOKEN_NEEDED
    for secret in (b"AKOTHER", GOLDEN, b"the-api-key", b"a-forged-seal", b"the-console-token"):
        assert secret in compared
