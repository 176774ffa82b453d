"""The HTML page is self-contained, safe whatever stands in it, and pleasant to look at and to listen to."""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import report_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.finding import Finding, Location, Severity
from reconciler.plan import Verdict, VerdictKind
from reconciler.report import as_html
from reconciler.report.as_text import safe
from reconciler.report.markup import element
from reconciler.state import Target

EVIL = ["<script>alert(1)</script>", '" onload="x', "&lt;", "</style>", "]]>", "<!--", "\x1b\u202e", "'"]
TEXT = st.one_of(st.sampled_from(EVIL), st.text(max_size=30))
CHROMIUM = next((path for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(path).exists()), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Tags(HTMLParser):
    """Every tag and attribute of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def shape(page: str) -> list[tuple[str, dict[str, str | None]]]:
    return [
        (tag, {k: v for k, v in attrs.items() if k not in ("aria-label", "content")}) for tag, attrs in Tags(page).tags
    ]


def filled(text: str) -> str:
    change = samples.limit_change()
    change = replace(
        change, address=f"InferenceLimit/{text}", target=Target("InferenceLimit", text), target_name=text, model=text,
        notes=(text,), how_to=text, fields=(replace(change.fields[0], path=text, before=text or "x"),),
        origin=Location(text, 1, 1),
    )  # fmt: skip
    made = samples.plan(
        account=text, changes=(change,), notes=(text,), inputs_digest=text,
        guards=(Verdict("mass-revert", VerdictKind.REFUSED, text or "x", text or "x", text or "x"),),
    )  # fmt: skip
    found = (Finding("a-rule", Severity.ERROR, text or "x", text or "x", Location(text or "x", 1, 1), text),)
    return as_html.plan(samples.report(plan=made, findings=found))


@settings(deadline=None, max_examples=80)
@given(TEXT)
def test_no_value_changes_the_tags_of_the_page(text: str) -> None:
    assert shape(filled(text)) == shape(filled("x"))


@settings(deadline=None)
@given(TEXT, TEXT)
def test_an_element_shows_the_text_and_holds_the_attribute_as_they_are(text: str, value: str) -> None:
    seen = Tags(element("p", text, title=value).html)
    assert seen.tags == [("p", {"title": safe(value)})]
    assert "".join(seen.text) == safe(text)


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = as_html.plan(samples.report())
    tags = Tags(page).tags
    assert {tag for tag, _ in tags}.isdisjoint({"script", "img", "iframe", "form", "object", "base", "a"})
    for _, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset")]
        assert attributes.get("href", "data:,") == "data:,"
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in page


def test_the_page_is_as_it_was_reviewed() -> None:
    samples.assert_golden("plan.html", as_html.plan(samples.report()))
    samples.assert_golden("plans.html", as_html.plan(samples.report(), samples.quiet()))


def test_what_stops_the_plan_comes_before_what_is_taken_back_and_that_before_the_rest() -> None:
    page = as_html.plan(samples.report())
    order = [page.index(part) for part in ("Stops here", "Refused by guard", "Taken back", ">Changes<")]
    assert order == sorted(order)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium): the page is not looked at")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1200])
def test_in_a_browser_the_page_is_accessible_fits_its_width_and_breaks_no_policy(
    browser: Any, tmp_path: Path, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    file = tmp_path / "plan.html"
    file.write_text(as_html.plan(samples.report(), samples.quiet("staging")), encoding="utf-8")
    page = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=False
    ).new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{directory}/plan-{scheme}-{width}.png", full_page=True)
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
