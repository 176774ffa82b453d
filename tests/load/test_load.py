"""The loader: whatever the bytes are, findings with a place come out, and nothing is raised."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.finding import Finding, Severity
from reconciler.load import CHECKS, Loaded, SourceText, load
from reconciler.load.text import MAX_BYTES

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
LIMIT = HEAD + "kind: InferenceLimit\nmetadata: {name: a}\nspec:\n  model: m\n"
ACCOUNT = HEAD + "kind: PlatformAccount\nmetadata: {name: a}\nspec:\n"


def loaded(text: str | bytes, name: str = "a.yaml") -> Loaded:
    content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return load([SourceText(name, content)])


def only(text: str | bytes, name: str = "a.yaml") -> Finding:
    """The single finding of a text that must hold what it declares."""
    result = loaded(text, name)
    assert len(result.findings) == 1, result.findings
    finding = result.findings[0]
    assert finding.rule in CHECKS
    assert finding.location is not None
    assert not result.declared.resources
    assert result.declared.held
    return finding


def at(finding: Finding) -> str:
    return str(finding.location)


def test_a_good_document_is_a_resource_with_the_place_of_each_value() -> None:
    result = loaded(LIMIT + "  tokens: 2M\n  renewal: '2026-12'\n")
    assert result.findings == ()
    (resource,) = result.declared.resources
    assert resource.address == "InferenceLimit/a"
    assert resource.spec.tokens == 2_000_000
    assert str(resource.at("spec", "tokens")) == "a.yaml:6:11"
    assert str(resource.at("metadata", "name")) == "a.yaml:3:18"
    assert str(resource.at("spec", "accountRef", "name")) == "a.yaml:5:3"
    assert result.declared.sources[0][0] == "a.yaml"


def test_json_is_read_by_the_same_rules_and_may_be_indented_with_tabs() -> None:
    text = '{"apiVersion":"modelpolicy.dev/v1alpha1",\n\t"kind":"InferenceLimit","metadata":{"name":"a"},\n\t"spec":{"model":"m","tokens":5}}'
    result = loaded(text, "a.json")
    assert result.findings == ()
    assert str(result.declared.resources[0].at("spec", "tokens")) == "a.json:3:31"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "01x"])
def test_a_number_that_json_does_not_have_is_a_finding(number: str) -> None:
    text = f'{{"apiVersion":"modelpolicy.dev/v1alpha1","kind":"PolicyConstraint","metadata":{{"name":"a"}},"spec":{{"message":"m","schema":{{"const":{number}}}}}}}'
    assert only(text, "a.json").rule in ("yaml-syntax", "invalid-number")


@pytest.mark.parametrize(
    "quiet",
    ["", "\n", "---\n", "---\n---\n...\n", "# only a comment\n", "\ufeff", "---\n# nothing\n---\nnull\n"],
)
def test_empty_files_and_documents_are_fine_and_silent(quiet: str) -> None:
    assert loaded(quiet).findings == ()
    assert loaded(quiet).declared.held == ()


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_a_byte_order_mark_and_other_line_ends_are_fine_and_keep_places(ending: str) -> None:
    text = "\ufeff" + (LIMIT + "  tokens: 1\n").replace("\n", ending)
    result = loaded(text)
    assert result.findings == ()
    assert str(result.declared.resources[0].at("spec", "tokens")) == "a.yaml:6:11"


def test_a_key_given_twice_is_an_error_that_names_the_first_and_leaves_the_target_in_doubt() -> None:
    finding = only(LIMIT + "  tokens: 1\n  model: n\n")
    assert (finding.rule, at(finding)) == ("duplicate-key", "a.yaml:7:3")
    assert "line 5" in finding.message
    assert loaded(LIMIT + "  tokens: 1\n  model: n\n").declared.held[0].may_govern_anything


def test_a_tab_in_the_indentation_is_named() -> None:
    finding = only(LIMIT + "\ttokens: 1\n")
    assert finding.rule == "yaml-syntax"
    assert "tab" in finding.message
    assert at(finding).startswith("a.yaml:6:")


@pytest.mark.parametrize(
    ("content", "rule", "place"),
    [
        (b"a: 1\nb: \xff\n", "not-utf8", "a.yaml:2:4"),
        ("a: 1".encode("utf-16"), "not-utf8", "a.yaml:1:1"),
        ("a: 1".encode("utf-32"), "not-utf8", "a.yaml:1:1"),
        (b"a: 1\nb: x\x00\n", "control-character", "a.yaml:2:5"),
        (b"a: \x1b[31m\n", "control-character", "a.yaml:1:4"),
        (b"x" * (MAX_BYTES + 1), "too-large", "a.yaml:1:1"),
    ],
)
def test_bytes_that_are_no_text_are_one_finding_with_its_place(content: bytes, rule: str, place: str) -> None:
    finding = only(content)
    assert (finding.rule, at(finding)) == (rule, place)


def test_an_escaped_control_character_does_not_hide_in_a_text() -> None:
    finding = only(LIMIT + '  tokens: 1\n  renewal: "a\\0b"\n')
    assert (finding.rule, at(finding)) == ("control-character", "a.yaml:7:12")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n", "42\n", "[]\n", "'null'\n"])
def test_a_document_that_is_no_mapping_is_an_error(text: str) -> None:
    assert only(text).rule == "not-a-mapping"


def test_aliases_share_their_anchors_value() -> None:
    text = LIMIT + "  tokens: &t 5\n---\n" + LIMIT.replace("a}", "b}") + "  tokens: 6\n  renewal: &r x\n"
    assert [resource.spec.tokens for resource in loaded(text).declared.resources] == [5, 6]
    text = HEAD + "kind: ModelActivation\nmetadata: {name: &n m}\nspec: {model: *n}\n"
    assert loaded(text).declared.resources[0].spec.model == "m"


@pytest.mark.parametrize("value", ["*nothing", "&self [*self]"])
def test_an_alias_of_nothing_or_of_what_it_stands_in_is_an_error(value: str) -> None:
    assert "yaml-alias" in {finding.rule for finding in loaded(LIMIT + f"  tokens: {value}\n").findings}


def test_an_anchor_ends_with_its_document() -> None:
    text = LIMIT + "  tokens: &t 5\n---\n" + LIMIT.replace("a}", "b}") + "  tokens: *t\n"
    assert "yaml-alias" in [finding.rule for finding in loaded(text).findings]


def test_an_alias_bomb_is_defused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    began = time.monotonic()
    assert only("\n".join(lines)).rule == "too-complex"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "bomb",
    ["[" * 200_000, "{a: " * 50_000, "- " * 50_000, "? " * 20_000, "\n".join(" " * n + "a:" for n in range(500))],
)
def test_a_depth_bomb_is_defused_at_once(bomb: str) -> None:
    began = time.monotonic()
    assert only(bomb).rule == "too-complex"
    assert time.monotonic() - began < 5


def test_a_wide_document_is_read_up_to_its_budget_only() -> None:
    assert only("[" + "1," * 150_000 + "]").rule == "too-complex"


@pytest.mark.parametrize("size", [300_000, 2_000_000, 10_000_000])
@pytest.mark.parametrize("form", ["  renewal: {}\n", '  renewal: "{}"\n', "  renewal: |\n    {}\n"])
def test_a_huge_scalar_is_a_finding_in_bounded_time(size: int, form: str) -> None:
    began = time.monotonic()
    result = loaded(LIMIT + "  tokens: 1\n" + form.format("x" * size))
    assert "too-large" in {finding.rule for finding in result.findings}
    assert not result.declared.resources
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("number", ["9" * 100, "9" * 100_000, "0x" + "f" * 5000, ".inf", "-.INF", ".nan", "1e999"])
def test_a_number_without_a_finite_exact_value_is_a_finding(number: str) -> None:
    assert only(LIMIT + f"  tokens: {number}\n").rule == "invalid-number"


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("  freeTokensOnly: no\n", "write false without quotes"),
        ("  freeTokensOnly: on\n", "write true without quotes"),
        ("  freeTokensOnly: yes\n", "write true without quotes"),
        ("  writes: {concurrency: 1_000}\n", "write 1000"),
        ("  writes: {concurrency: 12:30}\n", ""),
    ],
)
def test_what_yaml_1_1_would_convert_is_text_and_the_finding_says_what_to_write(line: str, hint: str) -> None:
    finding = only(ACCOUNT + line)
    assert finding.rule == "wrong-type"
    assert hint in finding.hint


def test_0o7_is_the_integer_seven_and_010_is_refused_with_the_value_to_write() -> None:
    assert loaded(LIMIT + "  tokens: 0o7\n").declared.resources[0].spec.tokens == 7
    finding = only(LIMIT + "  tokens: 0500000\n")
    assert (finding.rule, at(finding)) == ("invalid-number", "a.yaml:6:11")
    assert "163,840" in finding.message
    assert finding.hint.startswith("write 500000")


def test_a_name_that_yaml_1_1_would_convert_stays_text() -> None:
    text = HEAD + "kind: ModelActivation\nmetadata: {name: no, labels: {on: y}}\nspec: {model: off}\n"
    (resource,) = loaded(text).declared.resources
    assert (resource.name, resource.labels, resource.spec.model) == ("no", {"on": "y"}, "off")


def test_a_merge_key_is_named_once_with_the_fields_to_write() -> None:
    finding = only(LIMIT + "  tokens: 1\n  <<: {renewal: x}\n")
    assert (finding.rule, at(finding), finding.hint) == ("merge-key", "a.yaml:7:3", "write the fields out: renewal: x")
    finding = only(
        LIMIT.replace("metadata: {", "metadata: {labels: &l {renewal: x}, ") + "  <<: [*l, {tokens: 5, model: n}]\n"
    )
    assert finding.hint == "write the fields out: renewal: x, tokens: 5"
    (resource,) = loaded(
        LIMIT.replace("{name: a}", "{name: a, labels: {'<<': x}}") + "  tokens: 1\n"
    ).declared.resources
    assert resource.labels == {"<<": "x"}


def test_what_is_wrong_with_an_item_of_a_list_holds_that_item_and_no_other() -> None:
    def listed(broken: str) -> Loaded:
        items = [LIMIT.replace("{name: a}", f"{{name: {name}}}") + "  tokens: 1\n" for name in "abc"]
        items[1] += broken
        body = "".join("- " + item.replace("\n", "\n  ").rstrip(" ") for item in items)
        return loaded(f"apiVersion: v1\nkind: List\nitems:\n{body}")

    for broken in ("  tokens: 2\n", "  <<: {renewal: x}\n", "  renewal: !x y\n", "  renewal: 0777\n"):
        result = listed(broken)
        assert {finding.location.line for finding in result.findings if finding.location} == {16}, broken
        assert [resource.name for resource in result.declared.resources] == ["a", "c"]


@pytest.mark.parametrize("version", ["modelpolicy.dev/v1beta1", "v1", "modelpolicy.dve/v1alpha1", "modelpolicy.dev"])
def test_one_of_our_kinds_under_another_api_version_is_an_error(version: str) -> None:
    finding = only(LIMIT.replace("modelpolicy.dev/v1alpha1", version) + "  tokens: 1\n")
    assert (finding.rule, at(finding)) == ("wrong-api-version", "a.yaml:1:13")
    assert "modelpolicy.dev/v1alpha1" in finding.hint


def test_a_kind_that_does_not_exist_is_an_error_with_the_nearest_name() -> None:
    finding = only(LIMIT.replace("InferenceLimit", "InferenzLimit") + "  tokens: 1\n")
    assert (finding.rule, finding.hint) == ("unknown-kind", "did you mean InferenceLimit?")


def test_a_mistyped_key_names_the_nearest_field_and_points_at_the_key() -> None:
    finding = only(LIMIT + "  tokens: 1\n  free_quota_only: true\n")
    assert (finding.rule, at(finding)) == ("unknown-field", "a.yaml:7:3")
    assert finding.hint == "did you mean freeQuotaOnly?"


def test_a_field_on_the_wrong_level_is_sent_to_where_it_belongs() -> None:
    assert only(LIMIT + "  tokens: 1\nrenewal: x\n").hint == "`renewal` belongs under spec"


def test_a_mistyped_choice_names_the_nearest_and_points_at_the_value() -> None:
    finding = only(LIMIT + "  tokens: 1\n  deletionPolicy: retain\n")
    assert (finding.rule, at(finding), finding.hint) == ("invalid-value", "a.yaml:7:19", "did you mean Retain?")


def test_a_quoted_number_is_held_with_the_model_it_names() -> None:
    result = loaded(LIMIT + '  tokens: "2000000"\n')
    assert [finding.rule for finding in result.findings] == ["wrong-type"]
    (held,) = result.declared.held
    assert (held.kind, held.name, held.target) == ("InferenceLimit", "a", "m")


def test_every_finding_of_every_document_is_told_at_once_in_order_of_place() -> None:
    text = (
        LIMIT
        + "  tokens: 0\n  x: 1\n---\n"
        + LIMIT
        + "  tokens: [\n---\n"
        + LIMIT.replace("a}", "b}")
        + "  tokens: 3\n"
    )
    result = loaded(text)
    assert [finding.rule for finding in result.findings] == ["invalid-value", "unknown-field", "yaml-syntax"]
    assert [resource.name for resource in result.declared.resources] == ["b"]
    assert [(held.kind, held.name, held.target) for held in result.declared.held] == [("InferenceLimit", "a", "m")] * 2


def test_what_stands_on_the_broken_line_is_not_believed() -> None:
    (held,) = loaded(HEAD + "kind: InferenceLimit\nmetadata: {name: a}\nspec:\n  model: m: n\n").declared.held
    assert (held.kind, held.target) == ("InferenceLimit", "")


@pytest.mark.parametrize("missing", ["apiVersion", "kind", "metadata", "spec"])
def test_a_missing_part_is_named(missing: str) -> None:
    lines = [line for line in (LIMIT + "  tokens: 1\n").splitlines() if not line.startswith(missing)]
    if missing == "spec":
        lines = lines[:3]
    finding = only("\n".join(lines))
    assert finding.rule == "missing-field"
    assert f"`{missing}`" in finding.message


def test_what_kubectl_adds_is_taken_and_a_list_is_its_items() -> None:
    metadata = "{name: a, namespace: n, uid: u, resourceVersion: '1', generation: 2, creationTimestamp: 2026-01-01T00:00:00Z, managedFields: [], finalizers: [x], ownerReferences: []}"
    item = LIMIT.replace("{name: a}", metadata) + "  tokens: 1\nstatus: {conditions: []}\n"
    assert loaded(item).findings == ()
    indented = "".join(f"  {line}\n" for line in item.splitlines())
    listed = loaded("apiVersion: v1\nkind: List\nitems:\n- " + indented[2:] + "metadata: {resourceVersion: ''}\n")
    assert listed.findings == ()
    assert [resource.address for resource in listed.declared.resources] == ["InferenceLimit/n/a"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1, replicas: 2}\n", "a.yaml"),
        ("resources: [a.yaml]\n", "x/kustomization.yaml"),
        ("name: ci\non: push\n", "ci.yml"),
    ],
)
def test_a_foreign_document_is_a_note_and_holds_nothing(text: str, name: str) -> None:
    result = loaded(text, name)
    assert [(finding.rule, finding.severity) for finding in result.findings] == [("foreign-document", Severity.INFO)]
    assert result.declared.held == ()


def test_a_check_over_several_fields_is_told_in_its_own_words() -> None:
    spec = "  platform: ark\n  ark: {actions: {setLimit: {action: X, request: {a: '{nope}'}}}}\n"
    finding = only(ACCOUNT + spec)
    assert (finding.rule, at(finding)) == ("invalid-combination", "a.yaml:6:18")
    assert finding.message.startswith("`spec.ark.actions`: setLimit.request holds {nope}")


def test_many_foreign_documents_in_a_file_are_one_note() -> None:
    (note,) = loaded("apiVersion: v1\nkind: Secret\n---\n" * 9).findings
    assert "9 documents of other kinds (Secret)" in note.message


def test_two_documents_with_one_address_are_both_held_and_name_each_other() -> None:
    one, two = (
        SourceText("a.yaml", (LIMIT + "  tokens: 1\n").encode()),
        SourceText("b.yaml", (LIMIT + "  tokens: 2\n").encode()),
    )
    result = load([two, one])
    assert [finding.rule for finding in result.findings] == ["duplicate-resource"] * 2
    assert "b.yaml:1:1" in result.findings[0].message
    assert result.declared.resources == ()
    assert [held.target for held in result.declared.held] == ["m", "m"]


def test_every_check_has_a_text_for_explain() -> None:
    assert list(CHECKS) == sorted(CHECKS)
    assert all(len(text) > 40 for text in CHECKS.values())


FRAGMENTS = st.sampled_from(
    ["apiVersion: modelpolicy.dev/v1alpha1\n", "kind: InferenceLimit\n", "metadata: {name: a}\n", "spec:\n", "  model: m\n", "  tokens: 1\n",
     "---\n", "- ", "? ", ": ", "&a ", "*a", "!!int ", "!x ", "|\n", ">-\n", "'", '"', "{", "}", "[", "]", ",", "#", "%YAML 1.1\n", "...\n", "\t", "\\x", "<<: *a\n", "\u2028", "\x85", "1_0", ".nan"]
)  # fmt: skip


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_load_never_raises_on_any_bytes(content: bytes) -> None:
    for name in ("a.yaml", "a.json"):
        result = load([SourceText(name, content)])
        assert all(finding.rule in CHECKS for finding in result.findings)


@given(st.lists(FRAGMENTS, max_size=25).map("".join))
def test_load_never_raises_on_what_looks_like_yaml(text: str) -> None:
    result = loaded(text)
    assert all(finding.location is not None for finding in result.findings)


MIXED = [LIMIT + "  tokens: 1\n", LIMIT + "  tokens: 0\n", "a: [", "", LIMIT.replace("a}", "b}") + "  tokens: 2\n"]


@given(st.permutations([SourceText(f"{number}.yaml", text.encode()) for number, text in enumerate(MIXED)]))
def test_the_order_of_files_changes_nothing(sources: list[SourceText]) -> None:
    assert load(sources) == load(sorted(sources, key=lambda source: source.name))


def test_the_hint_for_a_missing_field_is_a_whole_sentence() -> None:
    hint = only(HEAD + "kind: InferenceLimit\nmetadata: {name: a}\nspec: {tokens: 5}\n").hint
    assert hint
    assert not hint.endswith(("e.g", "i.e"))
