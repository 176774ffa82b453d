"""After an import the plan is empty, and every comment is still there."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from builders import NOW, endpoint, model, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import plan as planning
from reconciler.adopt import Adoption, Live, adopt
from reconciler.finding import Severity
from reconciler.kinds.declared import Declared
from reconciler.load import SourceText, load
from reconciler.load.edit import Edit, Uneditable, rewrite, scalar
from reconciler.state import UNOBSERVABLE, ActivationState, Endpoint, Limit, Listing, Model, Rate, Snapshot

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"


def loaded(texts: Mapping[str, bytes]) -> Declared:
    found = load(SourceText(name, content) for name, content in texts.items())
    assert [one for one in found.findings if one.severity is Severity.ERROR] == []
    return found.declared


def adopted(live: Snapshot, texts: Mapping[str, bytes], account: str = "default") -> Adoption:
    return adopt(Live(account=account, snapshot=live, declared=loaded(texts), texts=texts, folder="policies", now=NOW))


def changes(live: Snapshot, texts: Mapping[str, bytes], account: str = "default") -> list[str]:
    declared = loaded(texts)
    asked = planning.Question(
        account=declared.accounts[account], declared=declared.for_account(account), snapshot=live, now=NOW
    )
    return [f"{one.address} {one.fields}" for one in planning.make(asked).changes]


COUNT = st.none() | st.integers(1, 1000)
RATES = st.builds(Rate, COUNT, COUNT).map(lambda rate: None if rate == Rate() else rate)
MODELS = ("doubao-seed-1-6", "Kimi.K2", "glm-4-7")
NAMES = ("search-prod", "搜索", "yes", "a: b # c", "search-prod", "\u202e")


@st.composite
def snapshots(draw: st.DrawFn, hidden: bool = True) -> Snapshot:
    seen: list[Model | Endpoint] = []
    for name in MODELS:
        limit = draw(
            (st.just(UNOBSERVABLE) if hidden else st.none()) | st.none() | st.builds(Limit, st.integers(1, 2**53 - 1))
        )
        state = draw(st.sampled_from([ActivationState.ACTIVATED, ActivationState.NOT_ACTIVATED]))
        services = draw(st.sets(st.sampled_from(["context-cache", "fast-infer"])))
        seen.append(model(name, limit=limit, state=state, sub_services=tuple(services)))
        for number in range(draw(st.integers(0, 2))):
            made = endpoint(f"ep-{name.lower()}-{number}", name, name=draw(st.sampled_from(NAMES)))
            seen.append(replace(made, override=draw(RATES)))
    return snapshot(*seen)


@settings(deadline=None, max_examples=20)
@given(snapshots())
def test_the_plan_after_an_import_is_empty_and_a_second_import_writes_nothing(live: Snapshot) -> None:
    made = adopted(live, {}).files
    assert changes(live, made) == []
    assert adopted(live, made).files == {}


@settings(deadline=None, max_examples=20)
@given(snapshots(), snapshots(hidden=False))
def test_the_plan_after_adopting_into_files_that_say_otherwise_is_empty(before: Snapshot, after: Snapshot) -> None:
    files = {name: b"# of the team\n" + content for name, content in adopted(before, {}).files.items()}
    if before.endpoint_ids_by_name != after.endpoint_ids_by_name:
        after = replace(after, endpoints={
            id_: replace(one, override=after.endpoints[id_].override if id_ in after.endpoints else None)
            for id_, one in before.endpoints.items()
        })  # fmt: skip
    result = adopted(after, files)
    assert not [note for note in result.notes if "by hand, because" in note]
    merged = {**files, **result.files}
    assert changes(after, merged) == []
    assert all(content.startswith(b"# of the team\n") for name, content in merged.items() if name in files)


MESSY = (
    HEAD.encode()
    + b"""# why we cap this
kind:   InferenceLimit   # the fuse
metadata:
    name: "cap"
spec:
    # asked for by finance
    tokens:   "2M"   # per quarter
    model: doubao-seed-1-6


--- # next
# overrides below
apiVersion: modelpolicy.dev/v1alpha1
kind: EndpointRateOverride
metadata: {name: slow, labels: {team: a}}   # flow
spec: {endpoint: {id: ep-1}, rpm: 10, tpm: 1000}
---
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata:
  name: act
spec:
  model: doubao-seed-1-6
  subServices:
  # cheap
  - context-cache  # long prompts
  - fast-infer
# the end
"""
)


def test_values_are_changed_in_place_and_every_comment_space_and_order_stays() -> None:
    live = snapshot(
        model("doubao-seed-1-6", limit=7, sub_services=("fast-infer",)),
        replace(endpoint("ep-1", "doubao-seed-1-6"), override=Rate(10, 99)),
    )
    texts = {"a.yaml": MESSY}
    result = adopted(live, texts)
    written = result.files["a.yaml"].decode()
    assert changes(live, result.files) == []
    expected = MESSY.decode().replace('"2M"', "7").replace("tpm: 1000", "tpm: 99")
    expected = expected.replace("  - context-cache  # long prompts\n", "")
    assert written == expected


def test_a_limit_that_is_not_live_any_more_goes_and_its_comments_stay() -> None:
    live = snapshot(model("doubao-seed-1-6", sub_services=("context-cache", "fast-infer")),
                    replace(endpoint("ep-1", "doubao-seed-1-6"), override=Rate(10, None)))  # fmt: skip
    result = adopted(live, {"a.yaml": MESSY})
    written = result.files["a.yaml"].decode()
    assert changes(live, result.files) == []
    assert "kind:   InferenceLimit" not in written
    assert "tpm" not in written
    assert {"# why we cap this", "# asked for by finance", "# overrides below", "# the end"} <= set(
        re.findall(r"# [a-z ]+", written)
    )


def test_what_is_live_and_new_is_added_where_its_model_is_declared_already() -> None:
    text = f"{HEAD}kind: ModelActivation\nmetadata: {{name: x}}\nspec: {{model: glm-4-7}}\n".encode()
    live = snapshot(model("glm-4-7", limit=5), model("kimi-k2", limit=6, state=ActivationState.NOT_ACTIVATED))
    result = adopted(live, {"team/glm.yml": text})
    assert sorted(result.files) == ["policies/kimi-k2.yaml", "team/glm.yml"]
    assert result.files["team/glm.yml"].startswith(text + b"---\n")
    assert changes(live, {"team/glm.yml": text, **result.files}) == []


def test_an_override_that_expired_and_is_live_loses_its_expiry() -> None:
    when = (NOW - timedelta(days=1)).isoformat()
    text = f"{HEAD}kind: EndpointRateOverride\nmetadata: {{name: x}}\nspec:\n  endpoint: {{id: ep-1}}\n  rpm: 5\n  expiresAt: {when}  # soon\n"
    live = snapshot(model("m"), replace(endpoint("ep-1", "m"), override=Rate(8, None)))
    result = adopted(live, {"a.yaml": text.encode()})
    assert changes(live, result.files) == []
    assert "rpm: 8\n  # soon\n" in result.files["a.yaml"].decode()


def test_what_cannot_be_changed_in_place_is_told_and_the_file_stays_as_it_is() -> None:
    text = f"{HEAD}kind: InferenceLimit\nmetadata: {{name: &n cap}}\nspec: {{model: m, tokens: 5}}\n".encode()
    result = adopted(snapshot(model("m", limit=9, state=ActivationState.NOT_ACTIVATED)), {"a.yaml": text})
    assert result.files == {}
    assert any("by hand, because it uses anchors" in note and "tokens is 9" in note for note in result.notes)


def test_a_limit_that_cannot_be_seen_is_told_and_not_declared() -> None:
    result = adopted(snapshot(model("m", limit=UNOBSERVABLE)), {})
    assert b"InferenceLimit" not in b"".join(result.files.values())
    assert "the inference limit of m cannot be seen; declare it by hand" in result.notes


def test_an_endpoint_that_a_declaration_may_mean_is_not_declared_a_second_time_by_a_list_that_is_not_whole() -> None:
    text = (
        f"{HEAD}kind: EndpointRateOverride\nmetadata: {{name: search}}\nspec:\n  endpoint: {{name: search}}\n  rpm: 60\n"
    ).encode()
    live = replace(
        snapshot(endpoint("ep-1", name="search", override=(5, 6))),
        not_whole={Listing.ENDPOINTS: "ListEndpoints: it names 1 of 2"},
    )
    found = adopted(live, {"policies/search.yaml": text})
    assert not any(b"EndpointRateOverride" in content for content in found.files.values())
    assert any("ListEndpoints: it names 1 of 2" in note for note in found.notes)
    assert any("EndpointRateOverride/search" in note and "not tell for certain" in note for note in found.notes)


def test_documents_of_another_account_name_it() -> None:
    account = f"{HEAD}kind: PlatformAccount\nmetadata: {{name: prod}}\nspec: {{platform: embedded}}\n".encode()
    texts = {"account.yaml": account}
    live = snapshot(model("m", limit=3))
    result = adopted(live, texts, "prod")
    assert b"accountRef: {name: prod}" in result.files["policies/m.yaml"]
    assert changes(live, {**texts, **result.files}, "prod") == []


@pytest.mark.parametrize("value", ["plain", "yes", "1.5", "a: b", "#x", '"', "搜索", "\u202e", "", "null", "-", "a\nb"])
def test_a_text_is_written_so_that_it_is_read_back_as_it_is(value: str) -> None:
    from ruamel.yaml import YAML

    assert YAML(typ="safe", pure=True).load(f"k: {scalar(value)}") == {"k": value}


def test_a_file_that_is_not_text_cannot_be_edited() -> None:
    with pytest.raises(Uneditable, match="not UTF-8"):
        rewrite(b"\xff\xff\xff", [Edit(1)])
