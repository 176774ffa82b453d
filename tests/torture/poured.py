"""One hostile text poured into every text of the fullest report, and every output of it judged by a reader of its medium."""

import dataclasses
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from functools import cache
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import report_samples as samples
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from reconciler.console.application import application
from reconciler.console.desk import Desk, Past
from reconciler.console.gate import Gate
from reconciler.guards import GUARDS
from reconciler.kinds import registry
from reconciler.metrics import Metrics
from reconciler.plan.drift import Drift, FieldDrift, Moved
from reconciler.report import (
    as_github,
    as_html,
    as_json,
    as_junit,
    as_log,
    as_markdown,
    as_notice,
    as_sarif,
    as_text,
)
from reconciler.report.notices import Event, Notice
from reconciler.report.selection import Selection
from reconciler.state import History, Target

# Words of our own vocabulary, which no file and no platform chooses.
OURS = {
    *registry(),
    *GUARDS,
    "tokens",
    "state",
    "subServices",
    "freeTokensOnly",
    "rpm",
    "tpm",
    "Revert",
    "Retain",
    "apply",
    "update",
}
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
FOLDS = re.compile(
    r"<!-- modelpolicy [^<>]*-->|</?details>|</?summary>|[0-9,]+ (changes?|remarks?|unchanged|infos?|warnings?|notes?)"
)


class Pour:
    """The same text in for each distinct text, so that what belonged together still does."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._known: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Enum) or value is None:
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, tuple):
            return tuple(map(self, value))
        if isinstance(value, Mapping):
            return {self(key): self(each) for key, each in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {each.name: self(getattr(value, each.name)) for each in dataclasses.fields(value) if each.init}
            return replace(value, **fields)
        return value

    def _text(self, text: str) -> str:
        kind, slash, rest = text.partition("/")
        if slash and kind in registry():
            return f"{kind}/{self._text(rest)}"
        if not text or text in OURS or text.startswith("sample-"):
            return text
        return self._known.setdefault(text, f"{self._word}{len(self._known)}")


class _Tags(HTMLParser):
    """How often each tag stands there with which attributes, and what its text is."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag, tuple(sorted(name for name, _ in attrs))] += 1
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "action")]


def _moved() -> Drift:
    field = FieldDrift("tokens", "a declared value", "an applied value", "a live value", Moved.BOTH)
    return Drift(address="InferenceLimit/kimi-k2", target=Target("InferenceLimit", "kimi-k2"), fields=(field,))


def texts(pour: Pour) -> Iterator[tuple[str, str]]:
    """Everything for terminals, logs and machines, by its name."""
    report, moved = pour(samples.report()), pour(_moved())
    run, entry = pour(samples.RUN), pour(samples.ENTRY)
    found, failed = report.findings, report.failures
    for name, layout in (("80", as_text.Layout(80)), ("200", as_text.Layout(200))):
        yield f"plan {name}", as_text.plan(report, layout=layout)
        yield f"applied {name}", as_text.applied(report, layout=layout)
        yield f"status {name}", as_text.status(report, selection=Selection(every=True), layout=layout)
        yield f"findings {name}", as_text.findings(found, 3, failed, layout=layout)
        yield f"drift {name}", as_text.drift((report, (moved,), found), layout=layout)
        yield f"history {name}", as_text.history([(run, None), (run, (entry,))], layout=layout)
    yield "github", as_github.findings(found, 3, failed)
    yield "junit", as_junit.findings(found, 3, failed, [pour(samples.FILE)])
    yield "markdown", as_markdown.plan(report)
    yield "html", as_html.plan(report)
    yield "sarif json", as_sarif.findings(found, 3, failed)
    yield "plan json", as_json.plan(report)
    yield "applied json", as_json.applied(report)
    yield "status json", as_json.status(report)
    yield "drift json", as_json.drift((report, (moved,), found))
    yield "history json", as_json.history([(run, (entry,))])
    for number, logged in enumerate(as_log.entries(report, {}, first=True)):
        yield f"log {number}", as_log.text(logged, samples.NOW)
        yield f"log {number} json", as_log.as_json(logged, samples.NOW)
    notice = Notice(event=Event.DRIFT, account=pour("a"), address=pour("b"), target=pour("c"), message=pour("d"))
    for shape, said in as_notice.SHAPES.items():
        yield f"notice {shape} json", json.dumps(said([notice]))


def judge(word: str) -> None:
    """Whatever `word` is, every output is one that its reader takes, of the same shape as with a tame word."""
    tame = _tame_shapes()
    for name, said in texts(Pour(word)):
        said.encode()
        _for_a_terminal(name, said)
        if name.endswith("json"):
            json.loads(said)
        elif name == "junit":
            ET.fromstring(said)
        elif name == "github":
            _annotations(said)
        assert _shape(name, said) == tame[name], name


def _for_a_terminal(name: str, said: str) -> None:
    wild = {each for each in set(said) - {"\n"} if unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    allowed = {"\u200b"} if name == "markdown" else set()  # which keeps a mention or a link from being one
    assert wild <= allowed, f"{wild - allowed!r} in {name}"


def _annotations(said: str) -> None:
    lines = said.split("\n")
    commands = [line for line in lines if re.match(r"\s*::|##\[", line)]
    assert len(commands) == len(samples.FINDINGS) + 1  # and the failure
    assert all(re.match(r"::(error|warning|notice)( [^:]*)?::", line) for line in commands)


def _shape(name: str, said: str) -> object:
    if name == "html":
        return _Tags(said).tags
    if name == "markdown":
        return Counter(_markup(said))
    if name.endswith("json"):
        return _keys(json.loads(said))
    if name == "junit":
        return Counter((each.tag, tuple(sorted(each.attrib))) for each in ET.fromstring(said).iter())
    return None


def _markup(said: str) -> Iterator[str]:
    for token in MARKDOWN.parse(said):
        yield token.type
        if token.type == "html_block":
            assert FOLDS.sub("", token.content).strip() == "", token.content
        yield from (
            child.type for child in token.children or [] if child.type not in ("text", "text_special", "softbreak")
        )


def _keys(value: Any) -> object:
    """The shape of a JSON document: what is a map by a name that we do not choose has any key."""
    if isinstance(value, dict):
        value.pop("uriBaseId", None)  # which only a relative path has
        ours = all(re.fullmatch(r"[$A-Za-z_.-]+", key) for key in value)
        return (
            sorted((key, str(_keys(each))) for key, each in value.items())
            if ours
            else sorted(map(str, map(_keys, value.values())))
        )
    if isinstance(value, list):
        return sorted(str(_keys(each)) for each in value)
    return type(value).__name__ if not isinstance(value, int | float) else "number"


PAGES = ("/models/default", "/models/default?show=all", "/plan/default", "/findings/default", "/history/default")


def pages(word: str) -> Iterator[tuple[str, str]]:
    """The console's pages of the same report, and that of one model."""
    pour = Pour(word)
    report = replace(pour(samples.report()), account=samples.report().account)
    run, entry = pour(samples.RUN), pour(samples.ENTRY)
    desk = Desk(lambda: samples.NOW + timedelta(minutes=1), lambda _: Past(History(), ((run, (entry,)),)))
    desk.publish(report)
    with TestClient(application(desk, Gate()), base_url="http://127.0.0.1:8901") as client:
        for path in (*PAGES, f"/model/default?name={quote(pour('kimi-k2').encode(errors='replace'))}"):
            for language in ("en", "zh"):
                answer = client.get(path, headers={"Accept-Language": language})
                assert answer.status_code == 200 or path.startswith("/model/"), path
                yield f"{path.split('?name')[0]} {language}", answer.text


def judge_pages(word: str) -> None:
    """No page has another tag than with a tame word, nor a link that leads where we did not mean it to."""
    tame = _tame_pages()
    for name, page in pages(word):
        if name in tame and "<h1" in page:
            seen = _Tags(page)
            _for_a_terminal(name, page)
            assert seen.tags == tame[name], name
            assert not [link for link in seen.links if not re.match(r"/(?!/)|https://|\?|#", link)], name


@cache
def _tame_pages() -> dict[str, object]:
    return {name: _Tags(page).tags for name, page in pages("tame")}


def judge_metrics(word: str) -> None:
    """What Prometheus scrapes is what it can read, with one value for each line of the tame one."""
    counts = []
    for each in ("tame", word):
        pour = Pour(each)
        metrics = Metrics(lambda: samples.NOW, lambda: 0)
        metrics.passed(pour(samples.report()), "ok", 0.1)
        metrics.called(pour("default"), pour("SetLimit"), pour("Some.Code"))
        said = metrics.exposition().decode()
        counts.append(
            Counter(sample.name for family in text_string_to_metric_families(said) for sample in family.samples)
        )
    assert counts[0] == counts[1]


@cache
def _tame_shapes() -> dict[str, object]:
    return {name: _shape(name, said) for name, said in texts(Pour("tame"))}
