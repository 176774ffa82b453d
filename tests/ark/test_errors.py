"""Every failure of Ark has one meaning here, decided by its code and status at the seam."""

from dataclasses import fields

import pytest

from reconciler.errors import Conflict, Permanent, Transient, Unsupported
from reconciler.platforms.ark.errors import Reply, translate
from reconciler.platforms.ark.pages import console, links
from reconciler.reasons import Reason
from reconciler.state import Links

PAGES = "https://console.example"


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (Reply(429, "FlowLimitExceeded"), Transient, Reason.THROTTLED),
        (Reply(200, "FlowLimitExceeded"), Transient, Reason.THROTTLED),
        (Reply(429), Transient, Reason.THROTTLED),
        (Reply(401, "InvalidAccessKey"), Permanent, Reason.CREDENTIALS_INVALID),
        (Reply(400, "SignatureDoesNotMatch"), Permanent, Reason.CREDENTIALS_INVALID),
        (Reply(400, "InvalidTimestamp"), Permanent, Reason.CREDENTIALS_INVALID),
        (Reply(401), Permanent, Reason.CREDENTIALS_INVALID),
        (Reply(403, "AccessDenied"), Permanent, Reason.PERMISSION_DENIED),
        (Reply(403, "OperationDenied.PermissionDenied"), Permanent, Reason.PERMISSION_DENIED),
        (Reply(403, "OperationDenied", "NotVerifiedAccount: finish it"), Permanent, Reason.PLATFORM_REFUSED),
        (Reply(403, "OperationDenied.BalanceNotEnough"), Permanent, Reason.PLATFORM_REFUSED),
        (Reply(400, "OperationDenied.EndpointStatus"), Conflict, Reason.PLATFORM_REFUSED),
        (Reply(403, "OperationDenied.ServiceNotOpen"), Conflict, Reason.PLATFORM_REFUSED),
        (Reply(409, "Whatever"), Conflict, Reason.PLATFORM_REFUSED),
        (Reply(404, "NotFound.ProjectName"), Permanent, Reason.TARGET_NOT_FOUND),
        (Reply(400, "ResourceNotFound.Plan"), Permanent, Reason.TARGET_NOT_FOUND),
        (Reply(404, "InvalidEndpointOrModel.NotFound"), Permanent, Reason.TARGET_NOT_FOUND),
        (Reply(404), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(404, "InvalidActionOrVersion"), Unsupported, Reason.MANUAL_ACTION_REQUIRED),
        (Reply(400, "InvalidParameter.SubServices"), Permanent, Reason.PLATFORM_REFUSED),
        (Reply(200, "InternalServiceError"), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(503, "ServiceUnavailableTemp"), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(502), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(200), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(0), Transient, Reason.PLATFORM_UNAVAILABLE),
        (Reply(409, "Embedded.LimitInterval", retry_after="60"), Transient, Reason.COOLING_DOWN),
        (Reply(403, "Embedded.InviteOnly"), Permanent, Reason.TICKET_REQUIRED),
    ],
    ids=lambda value: f"{value.status} {value.code}" if isinstance(value, Reply) else "",
)
def test_a_reply_becomes_the_exception_that_says_what_to_do(reply: Reply, kind: type, reason: Reason) -> None:
    error = translate("UpdateEndpoint", reply, PAGES)
    assert (type(error), error.reason, error.code) == (kind, reason, reply.code)
    assert str(error).startswith("UpdateEndpoint: ")


def test_the_platforms_own_wait_is_kept_and_a_date_is_not_guessed_at() -> None:
    assert translate("A", Reply(429, retry_after="12"), PAGES).retry_after_s == 12
    assert translate("A", Reply(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), PAGES).retry_after_s is None
    assert translate("A", Reply(503, retry_after="3"), PAGES).retry_after_s == 3


def test_what_a_person_has_to_do_is_in_the_sentence() -> None:
    assert "real-name verification" in str(translate("A", Reply(403, "OperationDenied", "NotVerifiedAccount"), PAGES))
    assert "top up" in str(translate("A", Reply(403, "OperationDenied", "cause: BalanceNotEnough"), PAGES))
    assert "grant ark:ListEndpoints" in str(translate("ListEndpoints", Reply(403, "AccessDenied"), PAGES))
    assert "clock" in str(translate("A", Reply(400, "InvalidTimestamp"), PAGES))


@pytest.mark.parametrize(
    ("endpoint", "region", "pages"),
    [
        (None, "cn-beijing", "https://console.volcengine.com/ark/region:ark+cn-beijing"),
        ("http://127.0.0.1:8900", "cn-beijing", "https://console.volcengine.com/ark/region:ark+cn-beijing"),
        (
            "https://open.byteplusapi.com",
            "ap-southeast-1",
            "https://console.byteplus.com/ark/region:ark+ap-southeast-1",
        ),
        (
            "https://ark.eu-west-1.byteplusapi.com/",
            "eu-west-1",
            "https://console.byteplus.com/ark/region:ark+eu-west-1",
        ),
        ("https://notbyteplusapi.com", "a b", "https://console.volcengine.com/ark/region:ark+a%20b"),
    ],
)
def test_a_person_is_sent_to_the_console_of_the_accounts_own_site_and_region(
    endpoint: str | None, region: str, pages: str
) -> None:
    assert console(endpoint, region) == pages
    error = translate("ListX", Reply(404, "InvalidActionOrVersion"), pages)
    assert isinstance(error, Unsupported)
    assert error.how_to == f"do it in the console: {pages}/openManagement"
    assert links(endpoint, region).activations == f"{pages}/openManagement"


def test_pages_that_are_known_of_one_site_only_are_not_offered_on_the_other() -> None:
    assert links("https://open.byteplusapi.com", "ap-southeast-1") == Links(
        activations="https://console.byteplus.com/ark/region:ark+ap-southeast-1/openManagement"
    )
    assert all(getattr(links(None, "cn-beijing"), page.name) for page in fields(Links))
