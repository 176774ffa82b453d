"""Notices as the JSON that a webhook takes: our own, Slack's and Feishu's. Pure: notices in, a JSON value out.

Every word that came from a file or a platform is escaped for where it is shown: a chat would act on `<!channel>` or `<at ...>`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from reconciler.report import plain
from reconciler.report.as_text.layout import safe
from reconciler.report.notices import Event, Notice

MOST: Final = 20  # notices told one by one in a message; chats take about 20 KB
LONGEST: Final = 300  # characters of one line
_WORDS: Final = MappingProxyType(
    {
        Event.PAUSED: "Model paused",
        Event.LIMIT_NEARLY_USED: "Limit nearly used up",
        Event.OVERRIDE_EXPIRING: "Override ends soon",
        Event.MANUAL_ACTION: "A person is needed",
        Event.DRIFT: "Drift found",
    }
)


def generic(notices: Sequence[Notice]) -> dict[str, Any]:
    """Our own shape: every field of every notice that is told, and how many more there are."""
    return {
        "format_version": plain.FORMAT_VERSION,
        "source": "modelpolicy",
        "text": _text(notices, str),
        "notices": [
            {
                "event": each.event.value,
                "account": each.account,
                "address": each.address,
                "target": each.target,
                "message": each.message,
            }
            for each in notices[:MOST]
        ],
        "more": max(0, len(notices) - MOST),
    }


def slack(notices: Sequence[Notice]) -> dict[str, Any]:
    """An incoming webhook of Slack, as plain text: no markup of its own is read."""
    return {"text": _text(notices, _for_slack), "mrkdwn": False}


def feishu(notices: Sequence[Notice]) -> dict[str, Any]:
    """A custom bot of Feishu or Lark. The text says modelpolicy, which may be the bot's security keyword."""
    return {"msg_type": "text", "content": {"text": _text(notices, _for_feishu)}}


SHAPES: Final[Mapping[str, Callable[[Sequence[Notice]], dict[str, Any]]]] = MappingProxyType(
    {"json": generic, "slack": slack, "feishu": feishu, "lark": feishu}
)


def _text(notices: Sequence[Notice], escape: Callable[[str], str]) -> str:
    lines = [escape(_line(each)) for each in notices[:MOST]]
    if len(notices) > MOST:
        lines.append(f"... and {len(notices) - MOST} more; `modelpolicy status` shows all")
    return "\n".join(["modelpolicy", *lines])


def _line(each: Notice) -> str:
    line = safe(f"{_WORDS[each.event]}: {each.address} on account {each.account}: {each.message}")
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _for_slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _for_feishu(text: str) -> str:
    return text.replace("<", "＜").replace(">", "＞")  # a bot's text has tags and no way to escape them
