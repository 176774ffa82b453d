"""Notices reach real webhooks over HTTP: retried, paced, bounded, and never with the URL in a log."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from webhooks import SECRET, Webhook, serving, until

from reconciler import notify
from reconciler.notify import Hook, Notifier, hook
from reconciler.report.notices import Event, Notice


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(notify, "FIRST_WAIT_S", 0.02)
    with serving() as server:
        yield server


@contextmanager
def notifier(*urls: str, gap_s: float = 0.0) -> Iterator[tuple[Notifier, list[str]]]:
    said: list[str] = []
    made = Notifier([hook(url) for url in urls], said.append, gap_s=gap_s)
    try:
        yield made, said
    finally:
        made.close()


def notice(name: str = "m") -> Notice:
    return Notice(
        event=Event.PAUSED, account="default", address=f"InferenceLimit/{name}", target=name, message="paused"
    )


def test_a_notice_arrives_as_json_at_the_whole_url(webhook: Webhook) -> None:
    with notifier(webhook.url) as (made, said):
        made.put([notice()])
        webhook.wait_for(1)
    path, body, _ = webhook.posts[0]
    assert path == f"/services/{SECRET}"
    assert body["notices"][0]["address"] == "InferenceLimit/m"
    assert said == []


@pytest.mark.parametrize(
    ("shape", "key"), [("slack", "text"), ("feishu", "content"), ("lark", "content"), ("json", "notices")]
)
def test_the_shape_before_the_scheme_is_what_is_posted(webhook: Webhook, shape: str, key: str) -> None:
    with notifier(f"{shape}+{webhook.url}") as (made, _):
        made.put([notice()])
        webhook.wait_for(1)
    assert key in webhook.posts[0][1]


def test_well_known_hosts_tell_their_shape() -> None:
    shapes = {url: hook(url).shape for url in (
        "https://hooks.slack.com/services/x", "https://open.feishu.cn/open-apis/bot/v2/hook/x",
        "https://open.larksuite.com/open-apis/bot/v2/hook/x", "https://example.com/x", "json+https://hooks.slack.com/x",
    )}  # fmt: skip
    assert list(shapes.values()) == ["slack", "feishu", "feishu", "json", "json"]


@pytest.mark.parametrize(
    "written",
    [
        "",
        "no-url",
        "ftp://h/s3cr3t",
        "teams+https://h/s3cr3t",
        "https:///s3cr3t",
        "https://h:port/s3cr3t",
        "https://h/sec ret",
        "https://user:s3cr3t@h/x",
        "https://s3cr3t@h/x",
        "slack+https://user:s3cr3t@hooks.slack.com/x",
        "https://@h/s3cr3t",
        "https://user%3As3cr3t%40h/x",
        "https://s3cr3t%00h/x",
        "https://s3cr3t\\@h/x",
        "https://h:80@s3cr3t/x",
        "https://h s3cr3t/x",
        "https://[::1/s3cr3t",
        "https://-s3cr3t-/x",
        "s3cr3t+gopher://h/x",
        "file:///etc/s3cr3t",
        "file://localhost/etc/s3cr3t",
        "data:text/plain,s3cr3t",
    ],
)
def test_what_is_no_webhook_is_refused_without_repeating_it(written: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        hook(written)
    assert "s3cr3t" not in str(refused.value)


def test_a_hook_never_shows_its_url() -> None:
    shown = hook(f"https://hooks.slack.com/services/{SECRET}")
    assert SECRET not in repr(shown)
    assert isinstance(shown, Hook)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_work_later_is_tried_again(webhook: Webhook, status: int) -> None:
    webhook.answers = [(status, {}, b""), (status, {}, b"")]
    with notifier(webhook.url) as (made, said):
        made.put([notice()])
        webhook.wait_for(3)
    assert [body for _, body, _ in webhook.posts] == [webhook.posts[0][1]] * 3
    assert said == []


def test_what_is_refused_is_given_up_and_said_without_the_url(webhook: Webhook) -> None:
    webhook.answers = [(404, {}, b"no_service")]
    with notifier(webhook.url) as (made, said):
        made.put([notice("a"), notice("b")])
        until(lambda: bool(said))
        made.put([notice("c")])
        webhook.wait_for(2)
    assert said == ["2 notices were not delivered to 127.0.0.1: HTTP 404"]
    assert webhook.posts[1][1]["notices"][0]["target"] == "c"


def test_a_wish_for_later_wins(webhook: Webhook) -> None:
    webhook.answers = [(429, {"Retry-After": "1"}, b"")]
    with notifier(webhook.url) as (made, _):
        made.put([notice()])
        webhook.wait_for(2)
    assert webhook.posts[1][2] - webhook.posts[0][2] >= 0.95


def test_a_redirect_is_never_followed(webhook: Webhook) -> None:
    with serving() as elsewhere:
        for status in (301, 302, 303, 307, 308):
            webhook.answers.append((status, {"Location": elsewhere.url}, b""))
        with notifier(webhook.url) as (made, said):
            for number in range(1, 6):
                made.put([notice()])
                until(lambda number=number: len(said) == number)
    assert elsewhere.posts == []
    assert [line.removeprefix("1 notices were not delivered to 127.0.0.1: HTTP ") for line in said] == [
        "301", "302", "303", "307", "308",
    ]  # fmt: skip


def test_a_bot_that_refuses_with_http_200_is_heard(webhook: Webhook) -> None:
    webhook.answers = [(200, {}, b'{"code":11232,"msg":"frequency"}'), (200, {}, b'{"code":19021,"msg":"sign"}')]
    with notifier(f"feishu+{webhook.url}") as (made, said):
        made.put([notice()])
        until(lambda: bool(said))
    assert said == ["1 notices were not delivered to 127.0.0.1: the bot refused with code 19021"]
    assert len(webhook.posts) == 2


def test_a_webhook_that_does_not_answer_keeps_nobody_waiting(webhook: Webhook) -> None:
    webhook.silent.set()
    with serving() as other, notifier(webhook.url, other.url) as (made, said):
        started = time.monotonic()
        for number in range(notify.QUEUE * 3):
            made.put([notice(str(number))])
        assert time.monotonic() - started < 1
        until(lambda: sum(len(body["notices"]) + body["more"] for _, body, _ in other.posts) >= notify.QUEUE)
        until(lambda: any("were dropped" in line for line in said))


def test_what_piled_up_goes_out_in_one_post_and_posts_are_paced(webhook: Webhook) -> None:
    with notifier(webhook.url, gap_s=0.25) as (made, _):
        made.put([notice("first")])
        webhook.wait_for(1)
        for name in "abc":
            made.put([notice(name)])
        webhook.wait_for(2)
    assert [each["target"] for each in webhook.posts[1][1]["notices"]] == ["a", "b", "c"]
    assert webhook.posts[1][2] - webhook.posts[0][2] >= 0.2


def test_what_waits_is_sent_at_the_end(webhook: Webhook) -> None:
    with notifier(webhook.url, gap_s=30) as (made, said):
        made.put([notice("first")])
        webhook.wait_for(1)
        made.put([notice("last")])
    assert [body["notices"][0]["target"] for _, body, _ in webhook.posts] == ["first", "last"]
    assert said == []


def test_a_webhook_that_is_not_there_is_said_by_its_host_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "FIRST_WAIT_S", 0.001)
    with serving() as gone:
        url = gone.url
    with notifier(url) as (made, said):
        made.put([notice()])
        until(lambda: bool(said))
    assert said == ["1 notices were not delivered to 127.0.0.1: Connection refused"]
