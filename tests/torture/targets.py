"""What is fed with anything at all: each target takes bytes and must end by itself, in a finding or an error of its own."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache

from reconciler.load import SourceText, exact, frame, load, quick
from reconciler.load import text as texts
from reconciler.platforms.embedded import seed, wire
from reconciler.report import as_github, as_json, as_junit, as_sarif, as_text, plan_file


def loader(content: bytes) -> None:
    """Policy files, and every way of telling what is wrong with them."""
    text = SourceText("policies/a.yaml", content)
    loaded = load([text])
    for name, asked in (("policies/a.json", True), ("b.yaml", False), ("b.json", False)):
        load([SourceText(name, content, asked=asked)])
    _readers(content)
    frames = {found.location: frame(content, found.location) for found in loaded.findings if found.location}
    for said in (*frames.values(), as_text.findings(loaded.findings, 1)):
        _tame(said)
    _tame(as_github.findings(loaded.findings, 1))
    for line in as_github.findings(loaded.findings, 1).splitlines():
        assert line.startswith("::") or "::" not in line[:2]
    for render in (as_json, as_sarif, as_junit):
        _tame(render.findings(loaded.findings, 1))


def _readers(content: bytes) -> None:
    """What the fast reader says of each piece is what the exact one says, who finds nothing wrong with it."""
    decoded = texts.decode(content)
    for line, piece in texts.chunks(decoded) if isinstance(decoded, str) else ():
        read = quick.read(piece)
        if read is not None:
            (document,) = exact.documents(piece, line)
            assert document.problems == []
            assert document.root is not None
            assert repr(read[0]) == repr(document.root.plain())
            assert (document.root.line, document.root.column) == (line + read[1], 1)


def _tame(said: str) -> None:
    """Nothing that a terminal or a log viewer would act on."""
    wild = [
        character
        for character in said
        if (character < " " and character != "\n") or character in "\x7f\x85\u202e\u2028\u2029\u200b\u2066\ufeff"
    ]
    assert not wild, f"{wild!r} in {said!r}"


def plan(content: bytes) -> None:
    """Saved plans."""
    plan_file.decode(content, "the.plan")


def seeds(content: bytes) -> None:
    """Seed files."""
    with suppress(seed.SeedRefused):
        seed.read("seed.yaml", content)


def bodies(content: bytes) -> None:
    """Bodies of the served protocol."""
    with suppress(wire.WireError):
        body = wire.body_of(content)
        wire.page([{"Id": "a"}], body)
        wire.texts(body, "Ids")


def reports(content: bytes) -> None:
    """Every output of a report, the console's pages and the metrics, with this as each of its texts."""
    from torture import poured  # slow to import, and not needed to fuzz the others

    word = content[:60].decode(errors="replace")
    poured.judge(word)
    poured.judge_metrics(word)


def pages(content: bytes) -> None:
    """The console's pages of such a report."""
    from torture import poured

    poured.judge_pages(content[:60].decode(errors="replace"))


TARGETS: Mapping[str, Callable[[bytes], None]] = {"loader": loader, "plan": plan, "seeds": seeds, "bodies": bodies, "reports": reports,
    "pages": pages,
}  # fmt: skip


@cache
def examples() -> tuple[bytes, ...]:
    """What a mutation starts from."""
    head = b"apiVersion: modelpolicy.dev/v1alpha1\n"
    return (
        head + b"kind: InferenceLimit\nmetadata: {name: a, labels: {x: y}}\nspec: {model: a, tokens: 2M}\n---\n",
        head + b"kind: EndpointRateOverride\nmetadata:\n  name: b\nspec:\n  endpoint: {name: b}\n  rpm: 5 # why\n",
        b"models:\n  - {name: a, domain: LLM, freeTokens: 5, used: {online: 5}}\nendpoints: [{id: ep-1, model: a}]\n",
        b'{"PageNumber": 1, "PageSize": 10, "Ids": ["a"], "digest": "", "format": "modelpolicy-plan"}',
        b"<script>\x1b[31m|`@octocat ::error::\n# a [b](https://c) ]]>&lt;\xe2\x80\xae '\" onload=x javascript:alert(1) %0A --> {{7*7}}",
        b"a: &a [*a]\nb: !!python/object:os.system [x]\nc: <<\n? - d\n: |2-\n  \x1b[31m\xe2\x80\xae",
    )
