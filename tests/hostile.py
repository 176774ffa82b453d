"""YAML as nobody writes it on purpose: texts on which one reader and another are likely to differ."""

from hypothesis import strategies as st

WORDS = ["a", "b: ", "c:", ": ", "- ", "-", "  ", " ", "\n", "\n  ", "\n- ", "---", "\n---\n", "...", "#", " # x", "'", "''", '"', '""', "{", "}", "{}", "[", "]",
         "[]", ", ", ",", "1", "1.5", ".5", "+1", "0o7", "no", "null", "~", "12:30", "http://x", "a:b", "?", "|", ">", "&a", "*a", "!x", "%", "@", "`", "\t", "\\", "<<: ", "{a: b}", "[a, b]", "key: value\n", "é"]  # fmt: skip
TAME_WORDS = st.sampled_from(
    [word for word in WORDS if word not in ("?", "|", ">", "&a", "*a", "!x", "%", "@", "`", "\t", "\\")]
)
LINES = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", " ", "  ", "    ", "- ", "  - ", "- - "]),
    st.sampled_from(["", "a:", "b: ", "c: ", "- "]),
    st.sampled_from(["", "x", "x y", "1", "'q'", '"q r"', "'", "[a, b]", "{a: b}", "{}", "[", "}", "a: b", "---", "...", "'a': b", "{a:b}", "[a,b]", "{a, b}", "{a: }", "[a: b]", "a:", "x:y", "12:30", "-", "- x", "[a,]", "{,}", "[,]"]),
    st.sampled_from(["", "", " ", " # c", "# c", " #"]),
)  # fmt: skip
POLICY = """---
# a comment
apiVersion: modelpolicy.dev/v1alpha1
kind: ModelActivation
metadata:
  name: search
  labels: {env: prod, team: search}
  annotations:
    note: "a 'b' c"
spec:
  model: doubao-seed-1-6
  state: Activated # a comment
  requires:
    rpm: 1200
    tpm: 240000
  subServices:
  - context-cache
  - 'fast-infer'
""".splitlines()
PLACES = st.integers(0, len(POLICY) - 1)
EDITS = st.one_of(
    st.tuples(PLACES, st.just("drop"), st.just("")),
    st.tuples(PLACES, st.just("before"), LINES),
    st.tuples(PLACES, st.just("instead"), LINES),
    st.tuples(PLACES, st.just("after"), st.sampled_from(["", " ", ":", " # x", "#x", "'", " x", ", y", "}", "\t", "\u00a0", "\u4e2d"])),
    st.tuples(PLACES, st.just("indent"), st.sampled_from(["", " ", "  ", "    ", "\t", "- "])),
    st.tuples(PLACES, st.just("value"), st.sampled_from(["0x1F", "0o17", "017", "1_000", "1e3", ".inf", "-.INF", ".nan", "~", "null", "yes", "True", "9" * 70, "2026-01-01", "1.", "+.5", "<<", "=", "[a, 1, null]", "{}", "{a: 1, a: 2}", "{true: 1}", "[[]]", "''", '""', "'é'", "|", "> ", "&a b", "*a", "!!str 1", "@x", "%x", "a #b", "a: b", "- a", "? a"])),
)  # fmt: skip


def _edited(edits: list[tuple[int, str, str]]) -> str:
    """The policy with some of its lines changed."""
    lines = list(POLICY)
    for place, how, text in edits:
        line = lines[place]
        match how:
            case "drop":
                lines[place] = ""
            case "before":
                lines[place] = f"{text}\n{line}"
            case "instead":
                lines[place] = text
            case "after":
                lines[place] = line + text
            case "indent":
                lines[place] = text + line.lstrip()
            case "value":
                lines[place] = line.split(":")[0] + ": " + text
    return "\n".join(lines)


POLICIES = st.lists(EDITS, max_size=3).map(_edited)
TEXTS = st.one_of(
    POLICIES,
    st.lists(LINES, max_size=8).map("\n".join),
    st.lists(TAME_WORDS, max_size=20).map("".join),
    st.text("ab:-# \n'\"{}[],.~+/", max_size=40),
)
