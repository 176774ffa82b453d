"""What people really type is met by its name, once, on its line, with what to write instead."""

import time

import pytest

from reconciler.finding import Finding, Severity
from reconciler.load import CHECKS, Loaded, SourceText, amounts, load

HEAD = "apiVersion: modelpolicy.dev/v1alpha1\n"
LIMIT = HEAD + "kind: InferenceLimit\nmetadata: {name: a}\nspec:\n  model: doubao-seed-2-0-pro\n"
RATE = HEAD + "kind: EndpointRateOverride\nmetadata: {name: a}\nspec:\n  endpoint: {name: b}\n"


def loaded(text: str) -> Loaded:
    return load([SourceText("a.yaml", text.encode())])


def only(text: str) -> Finding:
    """The single finding of a text that holds what it declares."""
    result = loaded(text)
    assert len(result.findings) == 1, result.findings
    assert result.findings[0].severity is Severity.ERROR
    assert not result.declared.resources
    assert result.declared.held
    return result.findings[0]


def place(finding: Finding) -> tuple[int, int]:
    assert finding.location is not None
    return finding.location.line, finding.location.column


@pytest.mark.parametrize(
    ("line", "column", "message", "hint"),
    [
        ("tokens： 50M", 3, "`tokens` is followed by ：, which is U+FF1A fullwidth colon", "write tokens: 50M"),
        ("tokens：50M # 每月", 3, "`tokens` is followed by ：", "write tokens: 50M"),
        ("tokens:\u00a050M", 3, "U+00A0 no-break space stands beside the colon of `tokens`", "write tokens: 50M"),
        ("tokens\u3000: 50M", 3, "U+3000 ideographic space stands beside the colon", "write tokens: 50M"),
        ("\u00a0\u00a0tokens: 50M", 5, "the line is indented with U+00A0 no-break space", "write tokens: 50M"),
        ("tokens:50M", 3, "no space stands after `tokens:`", "write tokens: 50M"),
        ("tokens = 50M", 3, "`tokens` is followed by =", "write tokens: 50M"),
    ],
)
def test_a_line_that_only_looks_like_a_field_is_named_with_the_line_to_write(
    line: str, column: int, message: str, hint: str
) -> None:
    finding = only(f"{LIMIT}  {line}\n")
    assert finding.rule == "yaml-syntax"
    assert place(finding) == (6, column)
    assert finding.message.startswith(message)
    assert finding.hint == hint


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        (LIMIT.replace("kind:", "kind：") + "  tokens: 5M\n", (2, 1), "`kind` is followed by ：", "write kind: InferenceLimit"),
        (LIMIT.replace("spec:", "spec：") + "  tokens: 5M\n", (4, 1), "`spec` is followed by ：", "write spec:"),
        (LIMIT.replace("spec:\n  model: ", "spec: {model： ") .replace("pro\n", "pro, tokens: 5M}\n"), (4, 8), "`model` is followed by ：", "write model: doubao-seed-2-0-pro"),
        (LIMIT.replace("spec:\n  model: ", "spec: {model: ").replace("pro\n", "pro， tokens: 5M}\n"), (4, 34), "， is U+FF0C fullwidth comma", "write spec: {model: doubao-seed-2-0-pro, tokens: 5M}"),
        (LIMIT.replace("spec:\n  model: ", "spec: ｛model: ").replace("pro\n", "pro, tokens: 5M｝\n"), (4, 7), "｛ is U+FF5B fullwidth left curly bracket", "write spec: {model: doubao-seed-2-0-pro, tokens: 5M}"),
        (LIMIT + "  tokens： 50M\n  renewal： x\n", (6, 3), "`tokens` is followed by ：", "write tokens: 50M"),
    ],
)  # fmt: skip
def test_full_width_punctuation_is_named_where_it_stands(
    text: str, where: tuple[int, int], message: str, hint: str
) -> None:
    finding = loaded(text).findings[0]
    assert (place(finding), finding.hint) == (where, hint)
    assert finding.message.startswith(message)
    assert all(each.rule == "yaml-syntax" for each in loaded(text).findings)


def test_what_is_wrong_beside_a_slip_is_told_too_and_what_follows_from_it_is_not() -> None:
    text = LIMIT.replace("spec:\n  model: ", "spec: {model： ").replace(
        "pro\n", "pro, tokens: 5M, deletionPolicy: retain}\n"
    )
    assert [(each.rule, each.hint) for each in loaded(text).findings] == [
        ("yaml-syntax", "write model: doubao-seed-2-0-pro"),
        ("invalid-value", "did you mean Retain?"),
    ]


@pytest.mark.parametrize(
    ("written", "why", "value"),
    [
        ("50 M", "no space stands between a number and its unit", "50M (50,000,000)"),
        ("5000万", "万 is no unit here", "50M (50,000,000)"),
        ("1.5亿", "亿 is no unit here", "150M (150,000,000)"),
        ("五千万", "a number is written in digits", "50M (50,000,000)"),
        ("一亿五千万", "a number is written in digits", "150M (150,000,000)"),
        ("50_000_000", "YAML 1.2 has no _ in numbers", "50M (50,000,000)"),
        ("50,000,000", "a number has no commas", "50M (50,000,000)"),
        ("50'000'000", "a number has no apostrophes", "50M (50,000,000)"),
        ("50 000 000", "a number has no spaces", "50M (50,000,000)"),
        ("50.000.000", "a number has no points between its thousands", "50M (50,000,000)"),
        ("50m", "m is a thousandth in Kubernetes", "50M (50,000,000)"),
        ("500K", "the unit of a thousand is a small k", "500k (500,000)"),
        ("50MB", "MB is no unit here", "50M (50,000,000)"),
        ("50Mi", "Mi is a power of 1,024", "52428800"),
        ("100w", "w is no unit here", "1M (1,000,000)"),
        ("50 million", "million is no unit here", "50M (50,000,000)"),
        ("50M tokens", "what is counted is not written", "50M (50,000,000)"),
        ("5e6", "a number with an exponent is no integer", "5M (5,000,000)"),
        ("5.5E+6", "a number with an exponent is no integer", "5.5M (5,500,000)"),
        ("50.0", "a number with a point is no integer", "50"),
        ("５０Ｍ", "its characters are full-width ones", "50M (50,000,000)"),
        ("50\u00a0M", "it holds U+00A0 no-break space", "50M (50,000,000)"),
        ("“50M”", "its quotation marks are typographic", "50M (50,000,000)"),
        ("50M；", "punctuation stands beside it", "50M (50,000,000)"),
    ],
)
def test_an_amount_as_people_write_it_is_told_what_to_write(written: str, why: str, value: str) -> None:
    finding = only(f"{LIMIT}  tokens: {written}\n")
    assert place(finding) == (6, 11)
    assert why in finding.message
    assert finding.hint == f"write {value}"
    said = value.split(" ")[0]
    assert loaded(f"{LIMIT}  tokens: {said}\n").findings == ()  # and what it says is taken


@pytest.mark.parametrize(
    ("written", "value"), [("12k", "12000"), ("1,200", "1200"), ("1_200", "1200"), ("1.2万", "12000"), ("600 rpm", "600"), ("6e2", "600"), ("600.0", "600")]
)  # fmt: skip
def test_a_rate_is_told_in_digits(written: str, value: str) -> None:
    finding = only(f"{RATE}  rpm: {written}\n")
    assert finding.hint == f"write {value}"
    assert loaded(f"{RATE}  rpm: {value}\n").findings == ()


@pytest.mark.parametrize("text", ["", "abc", "12:30", "1,5", "50,00", "-5", "0", "1e999", "1e3.5", "9" * 50, "0.5", "千", "1.5.5", "M", "1__0", "5X"])  # fmt: skip
def test_what_is_no_amount_is_not_guessed_at(text: str) -> None:
    found = amounts.meant(text)
    assert found is None or text == "千"


@pytest.mark.parametrize("text", ["a 限额：每月五千万，谢谢（见说明）", "“大额”限额", "50\u00a0M"])
def test_chinese_text_in_its_own_punctuation_is_nobodys_slip(text: str) -> None:
    assert loaded(LIMIT.replace("{name: a}", f"\n  name: a\n  annotations:\n    note: {text}") + "  tokens: 5M # 注：限额\n").findings == ()  # fmt: skip
    spoilt = LIMIT.replace("{name: a}", f"\n  name: a\n  annotations:\n    note: {text}") + "  tokens: 5Q # 注：限额\n"
    assert [each.rule for each in loaded(spoilt).findings] == ["invalid-value"]
    block = LIMIT.replace(
        "{name: a}", f"\n  name: a\n  annotations:\n    note: |\n      tokens：{text}\n      tokens:50M"
    )
    assert [each.rule for each in loaded(block + "\n  tokens: 5Q\n").findings] == ["invalid-value"]


def test_typographic_quotation_marks_around_a_text_are_a_warning_with_what_to_write() -> None:
    result = loaded(LIMIT + "  tokens: 5M\n  renewal: “2026-12”\n")
    (finding,) = result.findings
    assert (finding.rule, finding.severity, place(finding)) == ("look-alike", Severity.WARNING, (7, 12))
    assert finding.hint == 'write "2026-12"'
    assert result.declared.resources[0].spec.renewal == "“2026-12”"
    assert only(LIMIT.replace("{name: a}", "{name: “a”}") + "  tokens: 5M\n").hint.startswith('write "a"')


def test_no_limit_is_said_by_leaving_the_document_out() -> None:
    assert only(LIMIT + "  tokens: unlimited\n").hint == "to have no limit, leave the document out"


HIDDEN = ["\u00ad", "\u061c", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2064", "\u2066", "\u2069", "\u206f", "\u115f", "\u3164",
          "\uffa0", "\u034f", "\ufe00", "\ufe0f", "\U000e0001", "\U000e0041", "\U000e0100", "\ufff9", "\u2800"]  # fmt: skip


@pytest.mark.parametrize("character", HIDDEN)
def test_what_nobody_sees_is_a_warning_outside_of_quotes_and_none_within(character: str) -> None:
    good = LIMIT.replace("{name: a}", "{name: a, annotations: {n: x%s}}") + "  tokens: 5M%s # b%s\n"
    result = loaded(good % (character, "", ""))
    assert [(each.rule, each.severity, place(each)[0]) for each in result.findings] == [
        ("hidden-character", Severity.WARNING, 3)
    ]
    assert f"U+{ord(character):04X}" in result.findings[0].message
    assert len(result.declared.resources) == 1
    assert [place(each)[0] for each in loaded(good % ("", "", character)).findings] == [6]
    assert [each.rule for each in loaded(f"# a{character}\n---\n" + good % ("", "", "")).findings] == [
        "hidden-character"
    ]
    assert "invalid-value" in [each.rule for each in loaded(good % ("", character, "")).findings]
    for quote in "'\"":
        quoted = (
            LIMIT.replace("{name: a}", f"{{name: a, annotations: {{n: {quote}x{character}{quote}}}}}")
            + "  tokens: 5M\n"
        )
        assert loaded(quoted).findings == ()
        key = (
            LIMIT.replace("{name: a}", f"{{name: a, annotations: {{{quote}x{character}{quote}: n}}}}")
            + "  tokens: 5M\n"
        )
        assert "hidden-character" in [each.rule for each in loaded(key).findings]


@pytest.mark.parametrize("emoji", ["⚠️", "👩‍💻", "👩🏽‍💻", "1️⃣", "❤️‍🔥", "🏳️‍🌈", "©️"])
def test_an_emoji_hides_nothing(emoji: str) -> None:
    assert loaded(f"# {emoji} careful\n{LIMIT}  tokens: 5M # {emoji}\n").findings == ()


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff"])
@pytest.mark.parametrize("where", ["# a%sb\n", "a: x%s\n", "a: '%s'\n", "a%s: b\n", "---%s\n"])
def test_what_ends_a_line_for_some_readers_is_an_error_anywhere(character: str, where: str) -> None:
    finding = only(where % character)
    assert finding.rule == "control-character"
    assert place(finding)[0] == 1


@pytest.mark.parametrize("escape", ["\\N", "\\L", "\\P", "\\u2028", "\\x85", "\\0", "\\x1b"])
def test_neither_does_an_escape_bring_one_in(escape: str) -> None:
    assert only(LIMIT + f'  tokens: 5M\n  renewal: "a{escape}"\n').rule == "control-character"


@pytest.mark.parametrize(
    "text",
    ["\u200b" * 300_000, "a: [" + "?b, " * 8_000 + "]", "{" + "tokens： 1, " * 20_000 + "}", "\n".join(["tokens:5"] * 20_000), "a: " + "“b” " * 40_000, "x" * 400_000 + "：",
     "\n".join(["a: '“'"] * 9_000), "{" + ", ".join(f"k{n}= 1" for n in range(30_000)) + "}", "[" + "'a', " * 30_000 + "：", "a:\n" + "  \u00a0b: 1\n" * 5_000],
)  # fmt: skip
def test_hostile_texts_are_looked_through_in_bounded_time(text: str) -> None:
    began = time.monotonic()
    result = loaded(LIMIT + text + "\n")
    assert result.findings
    assert all(finding.rule in CHECKS for finding in result.findings)
    assert time.monotonic() - began < 20
