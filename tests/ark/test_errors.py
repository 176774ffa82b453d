"""Every failure of Ark has one meaning here, decided by its code and status at the seam."""

import pytest

from reconciler.errors import Conflict, Permanent, Transient, Unsupported
from reconciler.platforms.ark.errors import Reply, translate
from reconciler.reasons import Reason


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
    error = translate("UpdateEndpoint", reply)
    assert (type(error), error.reason, error.code) == (kind, reason, reply.code)
    assert str(error).startswith("UpdateEndpoint: ")


def test_the_platforms_own_wait_is_kept_and_a_date_is_not_guessed_at() -> None:
    assert translate("A", Reply(429, retry_after="12")).retry_after_s == 12
    assert translate("A", Reply(429, retry_after="Wed, 21 Oct 2026 07:28:00 GMT")).retry_after_s is None
    assert translate("A", Reply(503, retry_after="3")).retry_after_s == 3


def test_what_a_person_has_to_do_is_in_the_sentence() -> None:
    assert "real-name verification" in str(translate("A", Reply(403, "OperationDenied", "NotVerifiedAccount")))
    assert "top up" in str(translate("A", Reply(403, "OperationDenied", "cause: BalanceNotEnough")))
    assert "grant ark:ListEndpoints" in str(translate("ListEndpoints", Reply(403, "AccessDenied")))
    assert "clock" in str(translate("A", Reply(400, "InvalidTimestamp")))
