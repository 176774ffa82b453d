"""The seam to Volcengine: signed calls by the vendor's SDK, whose only home this is. It knows no model, limit or endpoint.

The SDK's own retries are off: it would repeat a write whose answer was lost, and it does not heed Retry-After. Reads are
repeated here, a few times and briefly; a write is sent once. No secret is in any message.
"""

import itertools
import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from reconciler.errors import PlatformError, Transient
from reconciler.kinds.platform_account import Ark, Reads
from reconciler.platforms import Credentials
from reconciler.platforms.ark.errors import Reply, translate
from reconciler.platforms.ark.gate import Gate
from reconciler.platforms.ark.pages import console
from reconciler.platforms.ark.paging import PAGE_SIZE, Gathered, Listed, Page
from reconciler.platforms.ark.parallel import Parallel
from reconciler.reasons import Reason

with warnings.catch_warnings():
    # The SDK's modules carry invalid escapes and uses of deprecated functions, about which a user can do nothing.
    warnings.simplefilter("ignore")
    import urllib3
    import volcenginesdkcore  # type: ignore[import-untyped]
    from volcenginesdkcore.interceptor import ResponseInterceptor  # type: ignore[import-untyped]
    from volcenginesdkcore.rest import ApiException  # type: ignore[import-untyped]

# At DEBUG the SDK logs whole replies, and a gateway may repeat in one what it was sent.
logging.getLogger("volcenginesdkcore").setLevel(logging.INFO)

_ARK: Final = {"service": "ark", "version": "2024-01-01", "content_type": "application/json"}
# As the vendor's own typed client asks it.
_STS: Final = {"service": "sts", "version": "2018-01-01", "content_type": "application/x-www-form-urlencoded"}
MOST_PAGES: Final = 10_000
READ_TRIES: Final = 3
WRITERS: Final = 8  # connections that are kept beside those of reads
THROTTLED_TRIES: Final = 6
THROTTLED_S: Final = 0.5  # where the platform does not say how long
MOST_WAIT_S: Final = 3.0  # a longer wish of the platform is left to the next pass
CONNECT_TIMEOUT_S: Final = 5.0
READ_TIMEOUT_S: Final = 30.0

Json = dict[str, Any]


class _NoEnvelope(Exception):
    """A reply that carries no result; it never leaves this module."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.reply = reply


class _ReadEnvelope(ResponseInterceptor):  # type: ignore[misc]  # the SDK has no types
    """Looks at the raw reply before the SDK turns an Error within HTTP 200 into text."""

    def name(self) -> str:
        return "modelpolicy-read-envelope"

    def intercept(self, context: Any) -> Any:
        reply = _reply_of(200, context.response.http_response.data, {})
        if reply is not None:
            raise _NoEnvelope(reply)
        return context


def _reply_of(status: int, text: object, headers: Mapping[str, str]) -> Reply | None:
    """What the reply says instead of a result, or None where it carries one."""
    retry_after = headers.get("Retry-After", "")
    body = _body_of(text)
    metadata = body.get("ResponseMetadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        return Reply(status, "", "the reply is not one of Ark: no JSON with ResponseMetadata", retry_after)
    request_id = str(metadata.get("RequestId") or "")
    error = metadata.get("Error")
    if isinstance(error, dict):
        return Reply(status, str(error.get("Code") or ""), str(error.get("Message") or ""), retry_after, request_id)
    if status == 200 and error is None:
        return None
    return Reply(status, "", "", retry_after, request_id)


def _body_of(text: object) -> Any:
    """The reply's JSON value. None where it is no JSON, is nested without end, or has half of a surrogate pair in a text, which
    nothing that we write could hold."""
    if not isinstance(text, str | bytes):
        return None
    try:
        body = json.loads(text)
        if re.search(rb"(?i)\\ud" if isinstance(text, bytes) else r"(?i)\\ud", text):  # type: ignore[arg-type]
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # among them UnicodeEncodeError
        return None
    return body


class Client:
    """Calls of one account's Ark. Safe to call from several threads at once."""

    def __init__(self, settings: Ark, credentials: Credentials, sleep: Callable[[float], None], reads: Reads) -> None:
        configuration = volcenginesdkcore.Configuration()
        configuration.ak = credentials.access_key
        configuration.sk = credentials.secret_key
        configuration.session_token = credentials.session_token or ""
        configuration.region = settings.region
        configuration.client_side_validation = True
        configuration.auto_retry = False
        configuration.num_max_retries = 0
        connections = reads.concurrency + WRITERS
        configuration.connection_pool_maxsize = connections
        configuration.connect_timeout = CONNECT_TIMEOUT_S
        configuration.read_timeout = READ_TIMEOUT_S
        if settings.endpoint:
            configuration.host = settings.endpoint.rstrip("/")
            configuration.scheme = urlsplit(settings.endpoint).scheme
        self._client = volcenginesdkcore.ApiClient(configuration)
        self._client.interceptor_chain.insert_response_interceptor(_ReadEnvelope())
        if is_loopback(settings.endpoint):
            # The SDK sends loopback calls through HTTP_PROXY too; nobody else's loopback is meant.
            self._client.rest_client.pool_manager = urllib3.PoolManager(
                maxsize=connections,
                retries=False,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S),
            )
        self._api = volcenginesdkcore.UniversalApi(self._client)
        self._sleep = sleep
        self._gate = Gate(reads.concurrency, reads.per_second, sleep)
        self.concurrency = reads.concurrency
        self._pages = console(settings.endpoint, settings.region)
        self._secrets = tuple(
            secret
            for secret in (credentials.secret_key, credentials.session_token, credentials.access_key)
            if secret and len(secret) >= 8  # hiding a shorter one would only blur the message
        )

    def read(self, action: str, request: Mapping[str, Any]) -> Json:
        """The Result of a reading action, asked again briefly where the platform or the way to it failed, and where it asked for
        fewer calls and to wait a moment."""
        for attempt in itertools.count(1):
            try:
                with self._gate.passing():
                    return self._send(action, request)[0]
            except Transient as failure:
                self._await_another_try(failure, attempt)
        raise AssertionError  # the count has no end

    def _await_another_try(self, failure: Transient, attempt: int) -> None:
        """Return when it is to be asked once more; raises the failure where it is not."""
        wait_s = failure.retry_after_s
        if failure.reason is Reason.THROTTLED:
            self._gate.throttled()
            wait_s = THROTTLED_S * attempt if wait_s is None else wait_s
            if attempt < THROTTLED_TRIES and wait_s <= MOST_WAIT_S:
                return self._sleep(wait_s)
        elif failure.reason is Reason.PLATFORM_UNAVAILABLE and wait_s is None and attempt < READ_TRIES:
            return self._sleep(0.2 * attempt)
        raise failure

    def write(self, action: str, request: Mapping[str, Any]) -> Json:
        """The Result of an action, sent exactly once."""
        return self._send(action, request)[0]

    def date(self) -> str:
        """The time that the platform says it is, as its Date header has it; "" where it does not say."""
        return self._send("ListEndpoints", {"PageNumber": 1, "PageSize": 1})[1].get("Date", "")

    def account_id(self) -> str:
        """Whose key it is, by the platform's STS; "" where it does not say. Only for an account on the platform's own host."""
        said = self._send("GetCallerIdentity", {}, _STS)[0].get("AccountId")
        return str(said) if isinstance(said, int | str) and re.fullmatch(r"[0-9]{1,20}", str(said)) else ""

    def _send(
        self, action: str, request: Mapping[str, Any], service: Mapping[str, str] = _ARK
    ) -> tuple[Json, Mapping[str, str]]:
        info = volcenginesdkcore.UniversalInfo(method="POST", action=action, **service)
        try:
            result, _, headers = self._api.do_call_with_http_info(info, dict(request))
        except _NoEnvelope as answer:
            raise self._error(action, answer.reply) from None
        except ApiException as exc:
            raise self._error(action, _reply(exc)) from None
        except (urllib3.exceptions.HTTPError, OSError, UnicodeDecodeError) as exc:
            raise self._error(action, Reply(0, "", _what_broke(exc))) from None
        return result if isinstance(result, dict) else {}, headers

    def listed(self, page: Page, beside: Parallel) -> Listed:
        """Every item of a paged list. One that is not whole is asked for once more; of two that are not, what either showed."""
        first = self._swept(page, beside)
        if not first.flaw:
            return first
        again = self._swept(page, beside)
        return Listed({**first.items, **again.items}, again.flaw) if again.flaw else again

    def _swept(self, page: Page, beside: Parallel) -> Listed:
        """One sweep of the pages, up to those that bring nothing new; after the first they are asked for beside each other.
        Raises Transient where there is no end of them."""
        listed = Gathered(page)

        def asked(number: int) -> Json:
            return self.read(page.action, {**page.request, "PageNumber": number, "PageSize": PAGE_SIZE})

        number = 1
        while number < MOST_PAGES:
            numbers = range(number, number + listed.pages_to_come(most=4 * self.concurrency))
            ends = [listed.ends_with(result) for result in beside.each(asked, numbers)]
            if any(ends):
                return listed.done()
            number = numbers.stop
        raise Transient(f"{page.action}: the list has more than {MOST_PAGES} pages")

    def close(self) -> None:
        """Let go of the connections."""
        self._client.rest_client.pool_manager.clear()

    def _error(self, action: str, reply: Reply) -> PlatformError:
        message = reply.message
        for secret in self._secrets:  # a gateway may repeat what it was sent
            message = message.replace(secret, "***")
        return translate(
            action, Reply(reply.status, reply.code, message, reply.retry_after, reply.request_id), self._pages
        )


def is_loopback(endpoint: str | None) -> bool:
    """Whether the endpoint is this machine."""
    host = (urlsplit(endpoint).hostname or "") if endpoint else ""
    return host in ("localhost", "::1") or re.fullmatch(r"127(\.[0-9]{1,3}){3}", host) is not None


def _reply(exc: Any) -> Reply:
    headers = {name.title(): value for name, value in dict(exc.headers or {}).items()}
    status = int(exc.status or 0)
    return _reply_of(status, exc.body, headers) or Reply(status)


def _what_broke(exc: BaseException) -> str:
    """The kind of failure and, of a chain of wrappers, the innermost cause; never the request."""
    inner = getattr(exc, "reason", None) or exc
    return f"the platform cannot be reached ({type(inner).__name__})"
