"""The platform marks a declared model as retiring.

Why: a retiring model stops being served on a date of the platform's; policies for it then govern nothing.
What to do: move the workload to a successor, and declare that one.
"""

from collections.abc import Iterator
from typing import Any

from reconciler.finding import Finding, Severity
from reconciler.kinds import Resource
from reconciler.kinds.model_activation import DesiredState
from reconciler.rules import Context, Rule
from reconciler.rules.common import seen


def _check(context: Context) -> Iterator[Finding]:
    declared = context.declared
    wanted = [one for one in declared.activations if one.spec.state is DesiredState.ACTIVATED]
    alone = [limit for limit in declared.limits if limit.spec.model not in declared.activations_by_model]
    resources: tuple[Resource[Any], ...] = (*wanted, *alone)
    for resource in resources:
        model = seen(context).models.get(resource.spec.model)
        if model is not None and model.deprecated:
            yield RULE.finding(
                f"the platform marks {model.name} as retiring; once it is gone this declaration governs nothing",
                resource,
                resource.at("spec", "model"),
                hint=f"Move to a successor of {model.name} and declare that one.",
            )


RULE = Rule(id="deprecated-model", severity=Severity.WARNING, check=_check, needs_platform=True, routine=True)
