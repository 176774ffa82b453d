"""Posts notices to webhooks without ever holding up the loop: a bounded queue and a thread for each webhook.

What piled up while a webhook was slow goes out in one post. A post that may work later is tried again with growing waits, the
webhook's own Retry-After first; one that is refused is given up. A webhook's URL is a secret: only its host is ever said.
"""

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Final

from reconciler import posting
from reconciler.report import as_notice
from reconciler.report.notices import Notice

QUEUE: Final = 200  # notices that wait for one webhook; beyond that the oldest go
TIMEOUT_S: Final = 10.0  # of a post as a whole
GAP_S: Final = 1.0  # between two posts; Slack takes one a second, Feishu a hundred a minute
TRIES: Final = 6
FIRST_WAIT_S: Final = 2.0  # then doubled: about a minute of trying
MOST_WAIT_S: Final = 600.0
LAST_S: Final = 5.0  # what is left to send at the end is given this long
ANSWER: Final = 4096  # bytes read of an answer
LATER: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
FEISHU_THROTTLED: Final = 11232  # the message service's own flow control
CHATS: Final = {"hooks.slack.com": "slack", "open.feishu.cn": "feishu", "open.larksuite.com": "feishu"}


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: where to post, in which shape, and the host that may be named."""

    shape: str
    url: str = field(repr=False)
    host: str


def hook(written: str) -> Hook:
    """The webhook of [SHAPE+]URL; without a shape the well-known chats' hosts tell theirs, and others get our own JSON.

    Raises ValueError with a sentence that does not repeat the URL.
    """
    shape, _, url = written.strip().partition("+")
    if not shape.isalnum():  # the + is the URL's own
        shape, url = "", written.strip()
    shape, target = shape.lower(), posting.target(url)
    if shape and shape not in as_notice.SHAPES:
        raise ValueError(f"there is no shape {shape!r}: choose one of {', '.join(sorted(as_notice.SHAPES))}")
    return Hook(shape or CHATS.get(target.host, "json"), target.url, target.host)


class Notifier:
    """Webhooks that hear of notices. `say` hears, from several threads, what a person should know of the posting itself."""

    def __init__(self, hooks: Iterable[Hook], say: Callable[[str], None], *, gap_s: float = GAP_S) -> None:
        self._posts = [_Post(each, say, gap_s) for each in dict.fromkeys(hooks)]

    def put(self, notices: Sequence[Notice]) -> None:
        """Send these soon. Never blocks and never raises."""
        if notices:
            for post in self._posts:
                post.put(notices)

    def close(self) -> None:
        """Send what is left, for a few seconds at the most, and stop."""
        for post in self._posts:
            post.end()
        until = time.monotonic() + LAST_S
        for post in self._posts:
            post.thread.join(max(0.0, until - time.monotonic()))
            post.abandon()


class _Post:
    """One webhook's queue and thread."""

    def __init__(self, to: Hook, say: Callable[[str], None], gap_s: float) -> None:
        self._to = to
        self._say = say
        self._gap_s = gap_s
        self._changed = threading.Condition()
        self._queue: deque[Notice] = deque(maxlen=QUEUE)
        self._dropped = 0
        self._posting = 0  # taken from the queue, and not known to be delivered
        self._ending = False
        self._abandoned = False
        # A daemon: a webhook that never answers must not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name=f"notify-{to.host}", daemon=True)
        self.thread.start()

    def put(self, notices: Sequence[Notice]) -> None:
        with self._changed:
            self._dropped += max(0, len(self._queue) + len(notices) - QUEUE)
            self._queue.extend(notices)
            self._changed.notify()

    def end(self) -> None:
        with self._changed:
            self._ending = True
            self._changed.notify()

    def abandon(self) -> None:
        """The process ends: say what is not delivered, and leave the thread to itself."""
        with self._changed:
            lost, self._abandoned = len(self._queue) + self._posting, True
        if self.thread.is_alive() and lost:
            self._say(f"{lost} notices were not delivered to {self._to.host} before the end")

    def _run(self) -> None:
        while batch := self._take():
            self._deliver(batch)
            with self._changed:
                self._posting = 0
            self._pause(self._gap_s)

    def _take(self) -> list[Notice]:
        """What waits, once something does; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._ending)
            batch, dropped = list(self._queue), self._dropped
            self._queue.clear()
            self._dropped, self._posting = 0, len(batch)
        if dropped:
            self._say(f"{self._to.host} is too slow: the oldest {dropped} notices were dropped")
        return batch

    def _pause(self, seconds: float) -> bool:
        """Wait; True where the end came meanwhile."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ending, seconds)

    def _deliver(self, batch: Sequence[Notice]) -> None:
        """Post, and try again while that may help and there is time; says once what was not delivered."""
        for attempt in range(TRIES):
            trouble = _post(self._to, batch)
            if trouble is None:
                return
            wait_s = FIRST_WAIT_S * 2**attempt if trouble.after_s is None else trouble.after_s
            last = not trouble.again or attempt == TRIES - 1
            if last or self._pause(min(MOST_WAIT_S, wait_s)):
                break
        if not self._abandoned:
            self._say(f"{len(batch)} notices were not delivered to {self._to.host}: {trouble.why if trouble else ''}")


@dataclass(frozen=True, slots=True)
class _Trouble:
    why: str
    again: bool
    after_s: float | None = None


def _post(to: Hook, batch: Sequence[Notice]) -> _Trouble | None:
    """One try; None where the webhook took it. What went wrong is said without the URL."""
    body = json.dumps(as_notice.SHAPES[to.shape](batch)).encode("ascii")
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "modelpolicy"}
    try:
        answer = posting.post(to.url, body, headers, within_s=TIMEOUT_S, most=ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Trouble(_why(error), again=True)
    if 200 <= answer.status < 300:
        return _refusal(to, answer.body)
    return _Trouble(f"HTTP {answer.status}", answer.status in LATER, _retry_after_s(answer.headers))


def _refusal(to: Hook, answer: bytes) -> _Trouble | None:
    """What a Feishu bot refuses, it refuses with HTTP 200 and a code that is not 0."""
    if as_notice.SHAPES[to.shape] is not as_notice.feishu:
        return None
    try:
        said: Any = json.loads(answer)
        code = int(said.get("code", said.get("StatusCode", 0)))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None  # not the answer of a bot, but it took the post
    return _Trouble(f"the bot refused with code {code}", again=code == FEISHU_THROTTLED) if code else None


def _retry_after_s(headers: Message | None) -> float | None:
    given = (headers.get("Retry-After") or "").strip() if headers else ""
    return float(given) if given.isascii() and given.isdigit() and len(given) < 8 else None


def _why(error: object) -> str:
    """The kind of failure alone: the text of an exception may hold what was asked for."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return "it did not answer in time" if isinstance(error, TimeoutError) else str(reason)
