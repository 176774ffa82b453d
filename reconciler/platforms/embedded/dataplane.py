"""The data plane's wire: chat completions (also streaming) and embeddings, which echo and say so; usage is metered.

Error codes are A12. Tokens are counted by bytes, four to a token: no tokenizer is pretended.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reconciler.platforms.embedded.calls import Call
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.refusals import Refusal

Json = dict[str, Any]
ECHO: Final = "[echo of the embedded platform, no model has read this] "
DIMENSIONS: Final = 8
_TYPES: Final = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 413: "BadRequest"}


class DataError(Exception):
    """The request is answered with this status, code and message."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param


@dataclass(frozen=True, slots=True)
class Answer:
    """A served call: its JSON, and whether it is wanted as a stream of events (and with its usage)."""

    body: Json
    stream: bool = False
    with_usage: bool = False


def error_body(status: int, code: str, message: str, param: str = "") -> Json:
    """The data plane's error."""
    kind = "TooManyRequests" if status == 429 else _TYPES.get(status, "InternalServerError")
    return {"error": {"code": code, "message": message, "param": param, "type": kind}}


def chat(engine: Engine, body: Json, request_id: str) -> Answer:
    """`POST /api/v3/chat/completions`: the last message comes back, behind a word that says so."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(each, dict) for each in messages):
        raise _invalid("messages", "a list of at least one message")
    texts = [_content(message.get("content")) for message in messages]
    most = body.get("max_tokens", body.get("max_completion_tokens"))
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= 1_000_000):
        raise _invalid("max_tokens", "an integer from 1 to 1000000")
    stream, options = body.get("stream") is True, body.get("stream_options")
    reply = ECHO + texts[-1]
    finish = "stop"
    if most is not None and tokens_of(reply) > most:
        reply = reply.encode()[: most * 4].decode(errors="ignore")
        finish = "length"
    usage = _usage(sum(map(tokens_of, texts)), tokens_of(reply))
    model = _charge(engine, body, usage["total_tokens"], usage["completion_tokens"])
    return Answer(
        {
            "id": request_id,
            "object": "chat.completion",
            "created": engine.now(),
            "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": finish}],
            "usage": usage,
        },
        stream=stream,
        with_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def embeddings(engine: Engine, body: Json, request_id: str) -> Answer:
    """`POST /api/v3/embeddings`: a digest of the text as numbers; equal texts are equal and nothing else is meant."""
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise _invalid("input", "a string or a list of strings")
    prompt = sum(map(tokens_of, texts))
    model = _charge(engine, body, prompt)
    return Answer(
        {
            "id": request_id,
            "object": "list",
            "created": engine.now(),
            "model": model,
            "data": [
                {"object": "embedding", "index": index, "embedding": _vector(text)} for index, text in enumerate(texts)
            ],
            "usage": {"prompt_tokens": prompt, "total_tokens": prompt},
        }
    )


def events(answer: Answer) -> Iterator[str]:
    """A chat completion as server-sent events, a few words at a time, closed by [DONE]."""
    body = answer.body
    head = {**{key: body[key] for key in ("id", "created", "model")}, "object": "chat.completion.chunk"}
    choice = body["choices"][0]
    words = choice["message"]["content"].split(" ")
    for first in range(0, len(words), 4):
        text = " ".join(words[first : first + 4]) + (" " if first + 4 < len(words) else "")
        yield _event({**head, "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    if answer.with_usage:
        yield _event({**head, "choices": [], "usage": body["usage"]})
    yield "data: [DONE]\n\n"


def tokens_of(text: str) -> int:
    """Four bytes of UTF-8 make a token, begun ones count."""
    return -(-len(text.encode(errors="replace")) // 4)


def _charge(engine: Engine, body: Json, tokens: int, output: int = 0) -> str:
    """Meter the call; the name it is answered under."""
    target = body.get("model")
    if not isinstance(target, str) or not target:
        raise _invalid("model", "the name of a model or an endpoint's id")
    try:
        engine.use(Call(target=target, tokens=tokens, output=output))
    except Refusal as refusal:
        raise DataError(refusal.http_status, refusal.code.value, str(refusal)) from refusal
    return target


def _content(content: object) -> str:
    """A message's text: a string, or the text of its parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    raise _invalid("messages", "messages whose content is text or a list of parts")


def _vector(text: str) -> list[float]:
    digest = hashlib.sha256(text.encode(errors="replace")).digest()
    return [round(byte / 127.5 - 1, 6) for byte in digest[:DIMENSIONS]]


def _usage(prompt: int, completion: int) -> Json:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _event(value: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _invalid(param: str, wanted: str) -> DataError:
    return DataError(400, "InvalidParameter", f"The parameter {param} must be {wanted}.", param)
