"""A loop that loads again reads only the files that have changed, and is told the same as one that reads all."""

from reconciler import load as room
from reconciler.load import Memory, SourceText, load

POLICY = "apiVersion: modelpolicy.dev/v1alpha1\nkind: ModelActivation\nmetadata: {name: %s}\nspec: {model: %s}\n"


def policy(name: str, model: str = "m") -> SourceText:
    return SourceText(f"{name}.yaml", (POLICY % (name, model)).encode())


def test_a_file_that_did_not_change_is_not_read_again(monkeypatch) -> None:
    memory = Memory()
    first = load([policy("a"), policy("b")], memory=memory)
    read: list[str] = []
    judged = room._file
    monkeypatch.setattr(room, "_file", lambda source: read.append(source.name) or judged(source))
    again = load([policy("a"), policy("b", "other")], memory=memory)
    assert read == ["b.yaml"]
    assert again == load([policy("a"), policy("b", "other")])
    assert again.declared.resources[0] is first.declared.resources[0]


def test_what_is_wrong_is_said_again_for_a_file_that_did_not_change() -> None:
    memory = Memory()
    texts = [SourceText("a.yaml", b"a: ["), policy("b"), SourceText("copy.yaml", policy("b").content)]
    first = load(texts, memory=memory)
    assert {finding.rule for finding in first.findings} == {"yaml-syntax", "duplicate-resource"}
    assert load(texts, memory=memory) == first
    assert not load([policy("b")], memory=memory).findings


def test_what_is_gone_is_forgotten() -> None:
    memory = Memory()
    load([policy("a"), policy("b")], memory=memory)
    load([policy("a")], memory=memory)
    assert [name for name, _ in memory.files] == ["a.yaml"]
