"""What the loader checks: the permanent id of each check and the text that `explain` prints for it. No logic here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CHECKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "being-written": "In a loop: a file has not rested for 100 ms, and was waited for 2 s. Its documents are held until it rests, for "
        "half a file says something else than its author means.",
        "control-character": "A file or a text holds a character that no terminal shows, such as NUL, or one that ends a line for "
        "some readers only: U+0085, U+2028, U+2029. It would hide what is really declared, so it must go.",
        "credential-in-policy": "A value that looks like an access key, a secret key or a token. Policy files are read by many and "
        "kept for ever, so a key in one is lost; it is never repeated in any output.",
        "duplicate-key": "A mapping gives the same key twice. YAML readers silently keep one of the two; which one is anyone's "
        "guess, so neither is believed.",
        "duplicate-resource": "Two documents have the same kind and name (and namespace). Neither is carried out until one is "
        "renamed or removed; what they govern stays as it is.",
        "foreign-document": "A document of another apiVersion group (a Kubernetes manifest, a kustomization.yaml), or one of another "
        "kind, or of neither. It is left alone; this is only a note. A document that names our apiVersion or one of our kinds is never "
        "left alone, nor is one with metadata and spec alone, whatever its file is called.",
        "hidden-character": "A comment, a key or an unquoted value holds a character that nobody sees, such as a zero-width space, or "
        "one that turns the direction of the text after it. What a reviewer sees may not be what is declared; take it out. In a "
        "quoted text it is shown as an escape.",
        "internal-error": "Judging one resource failed in a way that nobody expected: a bug in modelpolicy. As an error it could "
        "not be judged, so nothing of it is written and its item stays as it is; as a warning only part of what is said of it is "
        "missing. Everything else goes on. Please report it with its message, which names the place in the code.",
        "invalid-combination": "Fields that are each fine but not together: an endpoint by id and by name, an override with "
        "neither rpm nor tpm.",
        "invalid-key": "A key that is not text, such as `1:` or `[a]:`. Keys are field names; quote them where they look like "
        "numbers.",
        "invalid-number": "A number without a finite value or with more than 64 digits, which could not be kept exactly; or one that "
        "begins with a zero, which YAML 1.2 reads as decimal and older readers, such as kubectl, as octal.",
        "invalid-value": "A value of the right type that is not allowed: out of range, too long, not one of the choices, or of "
        "the wrong form.",
        "look-alike": "An unquoted text stands within quotation marks of typography, such as “2026-12”. YAML takes them for a part of "
        'the text; write " instead.',
        "merge-key": "A merge key (`<<: *name`) of YAML 1.1. YAML 1.2 does not have them, so a reader takes over nothing, or what a "
        "reviewer does not see; write the fields out.",
        "missing-field": "A field that every document of its kind must have is absent.",
        "not-a-mapping": "A document is a list or a single value. A declaration is a mapping with apiVersion, kind, metadata "
        "and spec.",
        "not-utf8": "A file is not UTF-8 text. Save it as UTF-8; a byte order mark is fine.",
        "passed-over": "A file in a folder that cannot be read as policies are, names nothing of ours anywhere, and shows what else it "
        "is: a template, JSON with comments, another API's manifest, a file that is too large or not UTF-8. This is only a note, so that "
        "nothing is passed over unsaid. A file that is named on the command line is never passed over.",
        "refused-by-cluster": "With --from-cluster: the API server's dry run refused the declaration; the message is its own.",
        "symlink-loop": "A directory links back to one that contains it. What is inside is read once, under its real place.",
        "too-complex": "A document is nested deeper than 64 levels or unfolds to more than 100,000 values, as alias bombs do. "
        "It is not read any further.",
        "too-large": "A file above 8 MiB, a document above 1 Mi or a text above 256 Ki characters. Nobody reviews such "
        "a file; split it.",
        "unknown-field": "A key that its kind does not have. A misspelt field would silently do nothing, so it is an error.",
        "unknown-kind": "A document of our apiVersion group with a kind that does not exist.",
        "unreadable": "A file or directory could not be read. The set is then incomplete, and nothing is reverted in this pass.",
        "wrong-api-version": "One of our kinds with an apiVersion other than modelpolicy.dev/v1alpha1.",
        "wrong-type": "A value of another type than its field has, such as a quoted number. Nothing is converted silently: YAML "
        "1.2 reads `no`, `yes`, `on`, `1_000` and `12:30` as text.",
        "yaml-alias": "An alias (*name) that refers to no anchor (&name) above it, or to what it stands in.",
        "yaml-syntax": "The text is not YAML 1.2 (or JSON, in a .json file). The document is held until it can be read.",
        "yaml-tag": "A tag (!name) that means nothing here or does not fit its value.",
    }
)
