"""The pages show what the report says, in two languages, safe whatever stands in it, and only to who may look."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from string import Formatter
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from reconciler import console, guards, rules
from reconciler.console import listing, pages, plot
from reconciler.console.application import POLICY, application
from reconciler.console.chinese import MEANS
from reconciler.console.desk import Desk, Past
from reconciler.console.gate import COOKIE, Gate
from reconciler.console.messages import MESSAGES, preferred
from reconciler.console.saying import Saying
from reconciler.errors import LedgerError
from reconciler.finding import Finding, Location, Severity
from reconciler.load import CHECKS
from reconciler.plan import Action
from reconciler.plan.drift import Moved
from reconciler.reasons import Reason
from reconciler.report.by_model import Account
from reconciler.report.model_row import Meter, Tone
from reconciler.serving.hosts import is_loopback
from reconciler.state import ActivationState, Limit, Result
from tests import builders as b
from tests.console.scene import EVIL, NOW, PAGE, Scene

PAUSED, DRIFTED = "doubao-seed-2-0-lite", "doubao-seed-2-0-pro"
PATHS = [
    "/", "/models/default", "/models/default?show=all", "/models/default?team=search&label=env%3Dprod&problem=Drifted", f"/model/default?name={PAUSED}", f"/model/default?name={DRIFTED}",
    f"/model/default?name={quote(EVIL)}", "/plan/default", "/findings/default", "/history/default", "/models/nobody",
    "/model/default?name=nobody", "/nobody/at/all",
]  # fmt: skip
TOKEN = "a-token-of-some-length"


class Tags(HTMLParser):
    """Every tag and its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def text(client: TestClient, path: str, **headers: str) -> str:
    return " ".join(Tags(client.get(path, headers=headers).text).text.split())


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_whole_strict_and_without_a_style_or_script_of_its_own(
    client: TestClient, path: str, language: str
) -> None:
    answer = client.get(path, headers={"Accept-Language": language})
    assert answer.status_code == (404 if "nobody" in path else 200), answer.text[:200]
    assert answer.headers["content-security-policy"] == POLICY
    assert "unsafe" not in POLICY
    assert answer.headers["cache-control"] == "no-store"
    for tag, attributes in Tags(answer.text).tags:
        assert tag not in ("style", "iframe", "img", "base")
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        assert tag != "script" or (attributes["src"] or "").startswith("/assets/")
        assert not str(attributes.get("href", "")).startswith(("javascript:", "//"))


def test_no_name_becomes_markup_and_none_hides_or_turns_text(client: TestClient) -> None:
    page = client.get("/models/default").text
    assert "<img" not in page
    assert "\u202e" not in page
    assert "<img src=x onerror=alert(1)>\\u202e" in text(client, "/models/default")
    links = [attributes for tag, attributes in Tags(page).tags if tag == "a"]
    assert not [one for one in links if "alert" in str(one.get("href")) and one.get("target")]


def test_the_account_page_says_what_matters_first(client: TestClient) -> None:
    said = text(client, "/")
    assert "1 model is stopped by the platform." in said
    assert said.index("Look at these first") < said.index(PAUSED) < said.index(DRIFTED)
    assert "93k of 60k 155 % reached" in said
    assert "reached in about 24 h" in said
    assert "700 set, 140 %" in said


def test_a_model_s_page_sets_what_is_wanted_beside_what_is_true_and_says_what_comes_next(client: TestClient) -> None:
    said = text(client, f"/model/default?name={PAUSED}")
    assert re.search(
        r"tokens 3,000,000 ?policies/help.yaml:10 Copy ?tokens 60,000 ?Paused: limit reached ?Waits two hours", said
    )
    assert "the platform" in said[said.index("Who moved") :]
    assert "InferenceLimit/help-fuse create · by ada" in said
    assert "model: doubao-seed-2-0-lite tokens: 3000000 freeQuotaOnly: false" in said
    page = client.get(f"/model/default?name={PAUSED}").text
    assert 'data-until="2026-11-23T15:20:00Z"' in page
    assert len(re.findall('class="hour"', page)) == 47


def test_a_change_for_a_person_has_the_page_and_values_to_copy(client: TestClient) -> None:
    tags = Tags(client.get("/plan/default").text).tags
    assert [attributes["href"] for tag, attributes in tags if attributes.get("class") == "button"] == [PAGE]
    copied = [attributes["data-copy"] for _, attributes in tags if "data-copy" in attributes]
    assert copied == ["NotActivated", "modelpolicy attest ModelActivation/vision-model"]


def test_the_language_is_the_reader_s_and_a_choice_of_another_stays(client: TestClient) -> None:
    assert "Inference limit" in text(client, "/", **{"Accept-Language": "fr, en;q=0.5"})
    assert "推理限额" in text(client, "/", **{"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"})
    chosen = client.get("/models/default?q=seed&lang=zh", follow_redirects=False)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/models/default?q=seed")
    assert "推理限额" in text(client, "/")
    assert 'data-theme="dark"' in client.get("/?theme=dark").text
    assert "data-theme" not in client.get("/?theme=auto").text


def test_what_the_report_says_is_explained_in_chinese_above_its_own_words(client: TestClient) -> None:
    page = client.get("/findings/default", headers={"accept-language": "zh"}).text
    assert (
        '<span class="means">平台上存在没有任何声明的配置，将保持原样。</span><span class="original" lang="en">' in page
    )
    assert 'class="means"' not in client.get("/findings/default", headers={"accept-language": "en"}).text


def test_every_rule_check_guard_and_reason_is_explained_in_chinese() -> None:
    assert {word for word in MEANS if ":" not in word} == {
        *rules.registry(),
        *CHECKS,
        *guards.GUARDS,
        *(reason.value for reason in Reason),
    }
    assert [key for key, text in MEANS.items() if not text.endswith("。")] == []


def test_every_message_is_there_in_both_languages_with_the_same_values() -> None:
    def values(message: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(message) if name}

    assert [key for key, (en, zh) in MESSAGES.items() if values(en) != values(zh) or not en or not zh] == []
    assert [word for word in (*ActivationState,) if f"state.{word.value}" not in MESSAGES] == []
    assert [word for word in (*Action,) if f"action.{word.value}" not in MESSAGES] == []
    assert [word for word in (*Result,) if f"result.{word.value}" not in MESSAGES] == []
    assert [word for word in (*Moved,) if f"moved.{word.value}" not in MESSAGES] == []


def test_every_message_that_a_template_names_exists_and_none_is_left_over() -> None:
    from importlib.resources import files

    pages = "".join(one.read_text() for one in files(console).joinpath("templates").iterdir())
    code = "".join(files(console).joinpath(f"{name}.py").read_text() for name in ("saying", "pages"))
    named = set(re.findall(r"""(?:say|say\.raw|timed)\((?:say, )?["']([\w.-]+)["'][,)]""", pages))
    assert named <= set(MESSAGES)
    open_groups = tuple(
        f"{group}."
        for group in set(re.findall(r"""["']([\w]+)\.?["'] ?[~,]""", pages))
        | {"headline", "endpoints", "price", "unit", "value", "standing", "pause", "step", "who"}
    )
    assert [
        key for key in MESSAGES if key not in named and not key.startswith(open_groups) and f'"{key}"' not in code
    ] == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("zh-CN", "zh"), ("en-GB,zh;q=0.9", "en"), ("en;q=0.1,zh;q=0.9", "zh"), ("", "en"), ("x;q=y", "en")],
)
def test_the_language_wanted_most_is_taken(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


def test_nothing_but_reading_is_answered(client: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/", "/models/default", "/assets/console.js"):
            assert client.request(method, path).status_code == 405


def test_a_page_that_did_not_change_is_not_sent_again(own_scene: Scene) -> None:
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    assert "Looking for the first time" in client.get("/").text
    own_scene.look()
    first = client.get("/")
    tag = {"If-None-Match": first.headers["etag"]}
    assert client.get("/", headers=tag).status_code == 304
    assert client.get("/?q=x", headers=tag).status_code == 200
    own_scene.look()
    assert client.get("/", headers=tag).status_code == 200


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1:8901", True), ("localhost", True), ("[::1]:80", True), ("::1", True), ("LOCALHOST:1", True),
        ("evil.example:8901", False), ("127.0.0.1.evil.example", False), ("", False), ("10.0.0.1", False), ("[::]", False),
    ],
)  # fmt: skip
def test_a_console_on_loopback_answers_to_no_other_name(scene: Scene, host: str, here: bool) -> None:
    assert is_loopback(host) is here
    if ":" not in host.strip("[]") or host[0] != ":":
        client = TestClient(application(scene.desk, Gate()))
        answer = client.get("/", headers={"Host": host})
        assert answer.status_code == (200 if here else 421)
        assert ("doubao" in answer.text) is here


def test_with_a_token_only_who_brings_it_looks_and_a_cookie_stands_for_it_from_then_on(scene: Scene) -> None:
    gate = Gate(TOKEN)
    client = TestClient(application(scene.desk, gate), base_url="http://console.example", follow_redirects=False)
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": f"{COOKIE}={TOKEN}"}, {"Cookie": f"{COOKIE}=é"}):
        answer = client.get("/", headers={k: v.encode() for k, v in headers.items()})
        assert answer.status_code == 401
        assert "doubao" not in answer.text
    assert client.get("/?token=wrong").status_code == 401
    assert client.get("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    entered = client.get(f"/models/default?q=lite&token={TOKEN}")
    assert (entered.status_code, entered.headers["location"]) == (303, "/models/default?q=lite")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert TOKEN not in cookie
    assert TOKEN not in repr(gate)
    assert PAUSED in client.get("/").text


def test_the_way_on_never_leads_to_another_host(scene: Scene) -> None:
    client = TestClient(application(scene.desk, Gate()), base_url="http://localhost", follow_redirects=False)
    for path in ("//evil.example/?lang=zh", "/\\evil.example/?lang=zh", "/models//evil.example?lang=zh"):
        location = client.get(f"http://localhost{path}").headers.get("location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


def test_several_accounts_are_listed_and_one_that_is_declared_no_more_is_gone(own_scene: Scene) -> None:
    report = own_scene.look()
    own_scene.desk.publish(replace(report, account=b.account("team/two")))
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    assert "team/two" in text(client, "/")
    assert client.get("/models/team/two").status_code == 200
    own_scene.desk.keep(["default"])
    assert client.get("/models/team/two").status_code == 404


def test_an_account_that_nobody_looked_at_yet_is_awaited_by_its_pages_and_not_missing() -> None:
    desk = Desk(lambda: NOW, lambda account: Past())
    client = TestClient(application(desk, Gate()), base_url="http://localhost")
    for path in ("/", "/models/default", f"/model/default?name={PAUSED}", "/plan/default"):
        assert client.get(path).status_code == 200
        assert "Looking for the first time" in text(client, path)
    desk.keep(["default"])
    assert client.get("/models/default").status_code == 200
    assert client.get("/models/nobody").status_code == 404


def test_where_the_platform_cannot_be_seen_or_the_ledger_not_be_read_the_page_says_so(scene: Scene) -> None:
    def unread(account: str) -> Past:
        raise LedgerError(f"the ledger of {account} is locked")

    desk = Desk(lambda: NOW, unread)
    report = next(iter(scene.desk.accounts.values())).account.report
    desk.publish(replace(report, snapshot=None))
    client = TestClient(application(desk, Gate()), base_url="http://localhost")
    assert "The platform could not be observed." in text(client, "/")
    assert "the ledger of default is locked" in text(client, f"/model/default?name={PAUSED}")
    assert "the ledger of default is locked" in text(client, "/history/default")


def account(scene: Scene) -> Account:
    return scene.desk.accounts["default"].account


def names(scene: Scene, **given: str) -> list[str]:
    return [row.name for row in listing.models(scene.desk.accounts["default"], listing.query(given)).items]


def test_the_table_is_searched_by_model_endpoint_and_file(scene: Scene) -> None:
    assert names(scene, q="helpdesk") == [PAUSED]
    assert names(scene, q="SEED search.yaml") == [DRIFTED]
    assert names(scene, q="no such thing") == []


def test_the_table_is_sorted_with_what_is_not_known_last_either_way(scene: Scene) -> None:
    up, down = names(scene, sort="limit"), names(scene, sort="limit", down="1")
    assert up[:3] == ["doubao-seed-2-1-turbo", DRIFTED, PAUSED]
    assert down[:3] == up[:3][::-1]
    assert names(scene, sort="policy")[0] == PAUSED
    for column in listing.SORTS:
        assert sorted(names(scene, sort=column)) == sorted(up)


def test_the_table_is_filtered_and_a_bad_query_is_the_default_one(scene: Scene) -> None:
    assert names(scene, show="attention") == [PAUSED, DRIFTED]
    assert "doubao-seed-1-8" in names(scene, show="unmanaged")
    assert len(names(scene, show="all", state="NotActivated")) > 5
    assert listing.query({"show": "x", "state": "x", "sort": "x", "problem": "x", "page": "-3"}) == listing.Query()


def test_the_table_is_filtered_by_problem_team_and_label(scene: Scene) -> None:
    assert names(scene, team="search") == [DRIFTED]
    assert names(scene, label="env=prod") == [DRIFTED, "doubao-seed-2-1-turbo"]
    assert names(scene, team="support", label="env=prod") == []
    assert names(scene, problem="LimitReached") == [PAUSED]
    assert names(scene, problem="Drifted") == [DRIFTED]
    assert names(scene, q="team=chat") == ["doubao-seed-2-1-turbo"]
    for bad in ("env", "=", "env=nothing", "x" * 500, "<script>"):
        assert listing.query({"label": bad}).label == bad[:200]
    found = listing.filters(scene.desk.accounts["default"])
    assert found.teams == ("chat", "search", "support")
    assert found.labels == ("env=prod", "env=test")
    assert dict(found.problems)["LimitReached"] == 1


def test_every_filter_is_kept_by_sorting_paging_and_the_address(client: TestClient) -> None:
    page = client.get("/models/default?team=search&label=env%3Dprod&problem=Drifted").text
    assert '<option value="search" selected>' in page
    assert '<option value="env=prod" selected>' in page
    assert '<option value="Drifted" selected>' in page
    links = [str(attributes["href"]) for tag, attributes in Tags(page).tags if attributes.get("id") == "sort-limit"]
    assert links == ["/models/default?problem=Drifted&team=search&label=env%3Dprod&sort=limit"]


def test_every_row_of_a_paused_model_says_so_with_what_comes_next_where_and_who(client: TestClient) -> None:
    said = text(client, f"/model/default?name={PAUSED}")
    wanted = said[said.index("Declared and actual") : said.index("Planned changes")]
    assert wanted.count("Paused: limit reached") == 2
    assert "As declared" not in wanted
    for words in ("Apply: the declared 3,000,000 tokens are set", "policies/help.yaml:10", "By whoever runs apply"):
        assert words in wanted
    assert "Apply: the declared 3,000,000 tokens are set" in text(client, "/")


def test_bars_fill_as_something_is_used_up_for_quota_and_limit_alike(scene: Scene) -> None:
    row = account(scene).rows[PAUSED]
    assert row.free is not None
    assert row.limit is not None
    assert (row.free.percent, row.free.width) == (100, "100.00")
    assert row.limit.percent == 155


def test_input_is_priced_before_output_whatever_the_platforms_order(own_scene: Scene) -> None:
    report = own_scene.look()
    assert report.snapshot is not None
    models = {
        name: replace(model, prices=tuple(sorted(model.prices, key=lambda price: price.item)))
        for name, model in report.snapshot.models.items()
    }
    own_scene.desk.publish(replace(report, snapshot=replace(report.snapshot, models=models)))
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    said = text(client, f"/model/default?name={DRIFTED}")
    assert re.search(r"Inference in ¥3\.2( up)? ?out ¥16\.0", said)


def test_an_account_without_declarations_is_told_how_to_begin_and_not_that_all_is_well(own_scene: Scene) -> None:
    own_scene.policies = {}
    own_scene.look()
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    for language, begins in (("en", "Nothing is declared for this account yet."), ("zh", "此账号尚无任何声明。")):
        said = text(client, "/", **{"Accept-Language": language})
        assert begins in said
        for command in (
            "modelpolicy import --out policies/",
            "modelpolicy plan",
            "modelpolicy apply",
            "modelpolicy explain",
        ):
            assert command in said
    assert "Everything is as declared" not in text(client, "/")
    assert "How to begin" not in text(client, "/plan/default")


def test_a_platform_without_a_model_in_use_leads_to_its_catalogue(own_scene: Scene) -> None:
    own_scene.policies = {}
    report = own_scene.look()
    assert report.snapshot is not None
    idle = {
        name: replace(model, state=ActivationState.NOT_ACTIVATED, limit=None, hourly_use=(), free_tokens=None)
        for name, model in report.snapshot.models.items()
    }
    own_scene.desk.publish(replace(report, snapshot=replace(report.snapshot, models=idle, endpoints={})))
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    assert "No model is declared, activated or used yet.Whole catalogue" in text(client, "/")
    assert "No models match.Clear search and filters" in text(client, "/?q=nothing")


def test_navigation_is_on_every_page_also_where_there_is_none(client: TestClient, own_scene: Scene) -> None:
    for path in PATHS:
        links = {attributes.get("href") for tag, attributes in Tags(client.get(path).text).tags if tag == "a"}
        assert {"/", "/models/default", "/plan/default", "/findings/default", "/history/default"} <= links, path
    own_scene.desk.publish(replace(own_scene.look(), account=b.account("team/two")))
    several = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    assert "All accounts" in text(several, "/nobody/at/all")
    assert 'href="/plan/default"' in several.get("/model/default?name=nobody").text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_defect_is_answered_by_a_page_that_leads_on(
    own_scene: Scene, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    own_scene.look()
    monkeypatch.setitem(pages.PAGES, "/plan/{account:path}", lambda desk, reader: 1 / 0)  # type: ignore[arg-type,return-value]
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost", raise_server_exceptions=False)
    answer = client.get("/plan/default", headers={"Accept-Language": language})
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == POLICY
    assert 'href="/models/default"' in answer.text
    assert "ZeroDivision" not in answer.text
    assert ("This page could not be made" if language == "en" else "页面无法显示") in answer.text


def test_what_is_not_there_is_told_only_to_who_may_look(scene: Scene) -> None:
    client = TestClient(application(scene.desk, Gate(TOKEN)), base_url="http://console.example")
    answer = client.get("/nobody/at/all")
    assert answer.status_code == 401
    assert "default" not in answer.text
    assert client.get("/nobody/at/all", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404


def test_a_limit_that_was_reached_is_not_said_in_chinese_to_be_reached_one_day(own_scene: Scene) -> None:
    report = own_scene.look()
    found = Finding("limit-below-use", Severity.WARNING, "of it", resource="InferenceLimit/help-fuse")
    for used, said in ((3_000_000, "已达到推理限额，模型已被平台暂停。"), (10, "按近期用量，一天之内将达到推理限额")):
        assert report.snapshot is not None
        model = replace(report.snapshot.models[PAUSED], limit=Limit(3_000_000, used))
        snapshot = replace(report.snapshot, models={**report.snapshot.models, PAUSED: model})
        own_scene.desk.publish(
            replace(report, snapshot=snapshot, findings=(found,), plan=replace(report.plan, findings=()))
        )
        client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
        assert said in text(client, "/findings/default", **{"Accept-Language": "zh"})


def test_each_moment_is_marked_so_that_it_can_be_told_in_the_readers_zone(client: TestClient) -> None:
    for path in PATHS:
        page = re.sub(r"<time [^>]*>.*?</time>", "", client.get(path).text)
        shown = Tags(re.sub(r"<(title|text)[^>]*data-hour.*?</\1>", "", page)).text
        assert not re.search(r"(?<![:\w])\d\d:\d\d", shown), path


def test_moments_in_the_reports_own_sentences_are_marked_and_nothing_else_of_them_is() -> None:
    made = str(pages._with_times("<b> at 2026-11-23T15:20:00Z, or 2026-11-23 15:20 UTC; not 2026-11-23"))
    assert made == (
        '&lt;b&gt; at <time datetime="2026-11-23T15:20:00Z" data-at>2026-11-23T15:20:00Z</time>, or '
        '<time datetime="2026-11-23T15:20:00Z" data-at>2026-11-23 15:20 UTC</time>; not 2026-11-23'
    )


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\u202eevil", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"]
)
def test_a_hostile_label_file_or_ticket_is_text_in_every_filter_and_row(own_scene: Scene, name: str) -> None:
    limit = b.limit(PAUSED, labels={"team": name, name: name}, origin=Location(name, 7, 1))
    own_scene.desk.publish(own_scene.stage.look(own_scene.stage.asked(limit)))
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    for path in (
        "/",
        f"/models/default?team={quote(name)}&label={quote(name)}",
        f"/model/default?name={PAUSED}",
        "/plan/default",
    ):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        assert "49" not in re.sub(r"[^ ]*[0-9a-f]{12}[^ ]*", "", Tags(page).text) or "{{ 7 * 7 }}" in Tags(page).text


def test_many_are_paged_and_a_page_that_is_not_there_is_the_nearest(scene: Scene) -> None:
    many = listing.page_of(range(120), 99)
    assert (many.page, many.pages, many.first, many.last) == (3, 3, 101, 120)
    assert listing.page_of([], 1).last == 0


def test_the_endpoints_of_a_model_its_changes_and_findings_are_paged(own_scene: Scene) -> None:
    own_scene.stage.endpoints(*(f"ep-{number:03}" for number in range(120)), of=PAUSED)
    report = own_scene.look()
    found = tuple(Finding(f"rule-{number:03}", Severity.INFO, "of many") for number in range(60))
    change = report.plan.changes[0]
    many = tuple(replace(change, address=f"InferenceLimit/l-{number:03}") for number in range(60))
    own_scene.desk.publish(replace(report, findings=found, plan=replace(report.plan, changes=many, findings=())))
    client = TestClient(application(own_scene.desk, Gate()), base_url="http://localhost")
    for path in (f"/model/default?name={PAUSED}&page=2", "/plan/default?page=2", "/findings/default?page=2"):
        assert re.search(r"51–\d+ of (121|60)", text(client, path))
    assert text(client, "/plan/default?page=2").count("InferenceLimit/l-") == 10
    assert text(client, "/findings/default?page=2").count("of many") == 10


def test_a_model_reads_its_limit_and_pool_as_meters(scene: Scene) -> None:
    row = account(scene).rows["doubao-seed-2-1-turbo"]
    assert row.limit is not None
    assert (row.limit.percent, row.limit.tone) == (45, Tone.GOOD)
    assert row.pool("rpm") == Meter(700, 500)
    assert row.reached_at is not None
    assert account(scene).rows[PAUSED].reached_at is None


def test_use_is_drawn_to_a_round_scale_and_nothing_is_drawn_of_nothing(scene: Scene) -> None:
    hourly = account(scene).rows[PAUSED].model.hourly_use
    drawing = plot.of(hourly, NOW)
    assert drawing is not None
    assert drawing.lines[-1].tokens in (120_000, 160_000)
    assert all(float(bar.height) <= plot.HEIGHT for bar in drawing.bars)
    assert plot.of((), NOW) is None
    assert plot.spark((), NOW) == ""


def test_numbers_and_times_are_said_briefly_in_each_language() -> None:
    en, zh = Saying("en"), Saying("zh")
    assert [en.brief(count) for count in (999, 1000, 1_234_567, 50_000_000, 7 * 10**12)] == [
        "999", "1k", "1.23M", "50M", "7,000G",
    ]  # fmt: skip
    assert (en.length(b.hours(1.2)), zh.length(b.hours(50))) == ("1 h 12 min", "2 天 2 小时")
    assert (en.length(b.hours(1)), en.length(b.hours(0))) == ("1 h", "a moment")
    assert (en.roughly(b.hours(0.5)), zh.roughly(b.hours(47)), en.roughly(b.hours(480))) == (
        "30 min",
        "47 小时",
        "20 d",
    )
