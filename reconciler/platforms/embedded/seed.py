"""What a seed file may say, read with every problem listed at once and where it stands. Pure but for `plant`, which writes.

bytes --read--> Seed(contents, places, findings) --plant--> rows, or SeedRefused and not one row
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reconciler.errors import ModelPolicyError
from reconciler.finding import Finding, Location, Severity, in_order
from reconciler.load import exact, text, tree
from reconciler.load.messages import did_you_mean, shown
from reconciler.load.tree import Node
from reconciler.platforms.embedded import fields
from reconciler.platforms.embedded.contents import Contents, EndpointEntry, ModelEntry, put
from reconciler.platforms.embedded.control import UNLIMITED_DOMAINS, UNLIMITED_TASK, account_row, capacity_or_cache
from reconciler.platforms.embedded.store import Transaction

RULE: Final = "seed-file"
Place = tuple[str, str]  # ("models", name) | ("endpoints", id) | ("account", "")


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed file as read: what to put in, where each entry stands, and everything that is wrong with it."""

    contents: Contents
    places: Mapping[Place, Location] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


class SeedRefused(ModelPolicyError):
    """The seed was not planted; `findings` says why, every problem at once."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__(f"the seed file has {len(findings)} problem(s); nothing was changed")
        self.findings = findings


def read(name: str, content: bytes) -> Seed:
    """Read a seed file; never raises on what it says."""
    decoded = text.decode(content)
    if isinstance(decoded, tree.Problem):
        return Seed(Contents(), findings=(_syntax(name, decoded),))
    reader = _Reader(name)
    for document in exact.of_file(decoded, is_json=name.endswith(".json")):
        reader.document(document)
    return reader.seed()


def _syntax(name: str, problem: tree.Problem) -> Finding:
    location = Location(name, problem.line, problem.column)
    return Finding(problem.rule, problem.severity, problem.message, problem.hint, location)


class _Reader:
    """Collects entries and problems of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._models: dict[str, ModelEntry] = {}
        self._endpoints: dict[str, EndpointEntry] = {}
        self._account: dict[str, Any] = {}
        self._places: dict[Place, Location] = {}
        self._findings: list[Finding] = []

    def seed(self) -> Seed:
        contents = Contents(
            models=tuple(self._models.values()), endpoints=tuple(self._endpoints.values()), account=self._account
        )
        return Seed(contents, self._places, in_order(self._findings))

    def document(self, document: tree.Document) -> None:
        self._findings += [_syntax(self._name, problem) for problem in document.problems]
        root = document.root
        if root is None:
            return
        sections: fields.Checks = {"models": fields.Rows(), "endpoints": fields.Rows(), "account": fields.Anything()}
        found = self._said(fields.mapping(root, "", sections))
        for node in found.get("models", ()):
            self._model(node)
        for node in found.get("endpoints", ()):
            self._endpoint(node)
        if "account" in found:
            self._places["account", ""] = self._at(found["account"])
            self._account.update(self._columns(found["account"], "account", fields.ACCOUNT))

    def _model(self, node: Node) -> None:
        columns = self._columns(node, "models[]", fields.MODEL, required=("name",))
        name = columns.pop("name", None)
        used = columns.pop("used", {})
        if name is not None and self._is_new("models", name, node):
            self._models[name] = ModelEntry(
                name=name,
                columns=columns,
                if_new={"free_total": 0},
                used_online=used.get("online"),
                used_batch=used.get("batch"),
            )

    def _endpoint(self, node: Node) -> None:
        columns = self._columns(node, "endpoints[]", fields.ENDPOINT, required=("id", "model"))
        endpoint = columns.pop("id", None)
        if endpoint is not None and self._is_new("endpoints", endpoint, node):
            self._endpoints[endpoint] = EndpointEntry(id=endpoint, columns=columns, if_new={"name": endpoint})

    def _is_new(self, section: str, key: str, node: Node) -> bool:
        place = (section, key)
        if place in self._places:
            self._say(node, f"{section} has {key} twice, also at {self._places[place]}", "keep one of them")
            return False
        self._places[place] = self._at(node)
        return True

    def _columns(self, node: Node, path: str, checks: fields.Checks, required: tuple[str, ...] = ()) -> dict[str, Any]:
        """The row's columns of what `node` says, with its problems noted."""
        found = self._said(fields.mapping(node, path, checks))
        for key in required:
            if node.entries is not None and key not in node.entries:
                self._say(node, f"{path} needs {key}", f"add {key}")
        columns: dict[str, Any] = {}
        for key, value in found.items():
            columns.update(fields.columns_of(key, value))
        return columns

    def _said(self, said: Iterator[fields.Said | tuple[str, Any]]) -> dict[str, Any]:
        """The values among what was said; the problems among it are noted."""
        values: dict[str, Any] = {}
        for one in said:
            if isinstance(one, fields.Said):
                self._say(one.node, one.message, one.hint)
            else:
                values[one[0]] = one[1]
        return values

    def _say(self, node: Node, message: str, hint: str) -> None:
        self._findings.append(Finding(RULE, Severity.ERROR, message, hint, self._at(node)))

    def _at(self, node: Node) -> Location:
        return Location(self._name, node.line, node.column)


def plant(tx: Transaction, seed: Seed, now: int) -> None:
    """Merge the seed over what is there, or raise `SeedRefused` for the caller to give the transaction up."""
    if seed.findings:
        raise SeedRefused(seed.findings)
    problems = [*_unknown_models(tx, seed), *_moved_endpoints(tx, seed)]
    if not problems:
        put(tx, seed.contents, now)
        problems = [*_broken_rules(tx)]
    if problems:
        raise SeedRefused(
            in_order(
                Finding(RULE, Severity.ERROR, message, hint, seed.places.get(place))
                for place, message, hint in problems
            )
        )


def _unknown_models(tx: Transaction, seed: Seed) -> Iterator[tuple[Place, str, str]]:
    known = {row["name"] for row in tx.all("SELECT name FROM models")} | {entry.name for entry in seed.contents.models}
    for endpoint in seed.contents.endpoints:
        model = endpoint.columns["model"]
        if model not in known:
            hint = did_you_mean(model, known) if len(known) < 1000 else "add it to models"
            yield (
                ("endpoints", endpoint.id),
                f"endpoint {endpoint.id} is of model {shown(model)}, which is unknown",
                hint,
            )


def _moved_endpoints(tx: Transaction, seed: Seed) -> Iterator[tuple[Place, str, str]]:
    for endpoint in seed.contents.endpoints:
        row = tx.one("SELECT model FROM endpoints WHERE id = ?", endpoint.id)
        if row is not None and row["model"] != endpoint.columns["model"]:
            message = f"endpoint {endpoint.id} is of model {row['model']}, and its base model may not change"
            yield ("endpoints", endpoint.id), message, "use another id"


def _broken_rules(tx: Transaction) -> Iterator[tuple[Place, str, str]]:
    """The rules that the rows would break together; the account could not have come to this by itself."""
    for row in tx.all("SELECT name FROM models WHERE NOT activated AND sub_services <> ''"):
        message = f"model {row['name']} has sub-services but is not activated"
        yield ("models", row["name"]), message, "add state: Activated, or take subServices away"
    for row in tx.all("SELECT * FROM models WHERE limit_tokens IS NOT NULL"):
        if (
            not row["activated"]
            or row["billing"] != "PayByToken"
            or row["domain"] in UNLIMITED_DOMAINS
            or UNLIMITED_TASK in row["task_types"].split(",")
            or "context-cache" in row["sub_services"].split(",")
        ):
            message = f"model {row['name']} has an inference limit of {row['limit_tokens']} tokens, which this excludes"
            yield ("models", row["name"]), message, "remove the limit first, or leave the model as it is"
    for row in tx.all(
        "SELECT endpoints.id, models.name FROM endpoints JOIN models ON models.name = endpoints.model "
        "WHERE limit_tokens IS NOT NULL AND (scale_tpm IS NOT NULL OR model_units IS NOT NULL)"
    ):
        message = f"endpoint {row['id']} has bought capacity, and its model {row['name']} has an inference limit"
        yield ("endpoints", row["id"]), message, "remove the limit first, or take the capacity away"
    account = account_row(tx)
    if account["free_tokens_only"]:
        taken = (
            "it was switched off before, which is for ever"
            if account["free_tokens_only_ended"]
            else capacity_or_cache(tx)
        )
        if taken:
            message = f"freeTokensOnly is on, which cannot be: {taken}"
            yield ("account", ""), message, "switch it off, or take that away"
