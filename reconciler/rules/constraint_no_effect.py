"""A PolicyConstraint says something that nobody hears: a keyword without effect where it stands, or a name that no document has.

Why: such a constraint guards less than its author thinks, and never tells. Of a keyword: `format` and the like are notes, `then`
needs an `if`, a bound for numbers says nothing of text. Of a name: a resource has the fields of its kind and no others, tokens as a
number and never as text, and in `spec` every field is there, null where it is not declared, so `required` asks for nothing of it.
What to do: say it with another keyword, or correct the name; the message says which. Keywords of your own begin with x-.
"""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from reconciler.finding import Finding, Severity
from reconciler.kinds.policy_constraint import Scope as Over
from reconciler.rules import Context, Rule, Scope
from reconciler.rules.matching import Constraint

MAX_TOLD: Final = 10  # of one constraint


def _check(context: Context) -> Iterator[Finding]:
    for constraint in context.declared.constraints:
        yield from islice(_of(constraint), MAX_TOLD)


def _of(constraint: Constraint) -> Iterator[Finding]:
    from reconciler.rules.json_schema import reach, remarks  # most sets have no constraint
    from reconciler.rules.json_schema.bounded import Unfit, compiled
    from reconciler.rules.json_schema.documents import shapes_of

    spec = constraint.spec
    if isinstance(compiled(spec.schema_), Unfit):
        return
    if spec.scope is Over.MODEL and spec.match.kinds is not None:
        message = f"{constraint.address}: match.kinds says nothing in scope Model, which is run over models"
        yield RULE.finding(message, constraint, constraint.at("spec", "match", "kinds"), hint="Leave it out.")
    told: set[remarks.Remark] = set()
    for remark in chain(remarks.in_vain(spec.schema_), reach.remarks(spec.schema_, shapes_of(spec))):
        if remark in told:
            continue
        told.add(remark)
        message = f"in the schema of {constraint.address} {remark.message}"
        yield RULE.finding(message, constraint, constraint.at("spec", "schema", *remark.path), hint=remark.hint)


RULE = Rule(id="constraint-no-effect", severity=Severity.WARNING, check=_check, scope=Scope.SET)
