"""The published JSON Schemas (2020-12) of every `-o json` document: what `schema --outputs` prints.

Pure data. Readers may meet keys that a later 1.x adds; a key that is here is never dropped or given another meaning in 1.x.
Not the schemas of what users write: those come from the kinds.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.finding import Severity
from reconciler.plan import Action, ChangeReason, VerdictKind
from reconciler.plan.drift import Moved
from reconciler.reasons import Reason
from reconciler.report.plain import FORMAT_VERSION, UNSEEN
from reconciler.report.status_words import STANDINGS, STEPS, WHO
from reconciler.state import ActivationState, Billing, Capability, Operation, PauseReason, Result
from reconciler.status import ConditionType, Truth

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
WHOLE: Final[Schema] = {"type": "integer"}
MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
NULL: Final[Schema] = {"type": "null"}


def _one_of(values: Iterable[str]) -> Schema:
    return {"type": "string", "enum": sorted(str(value) for value in values)}


def _object(properties: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": dict(properties)}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, NULL]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _seen(schema: Schema) -> Schema:
    """What an observation may be: a value, null (absent), or not to be seen."""
    return {"anyOf": [schema, NULL, _ref("unobservable")]}


VERSION: Final[Schema] = {"const": FORMAT_VERSION}
ERRORS: Final[Schema] = _array(_ref("failure"))
FINDINGS: Final[Schema] = _array(_ref("finding"))
RATE: Final[Schema] = _object({"rpm": _or_null(COUNT), "tpm": _or_null(COUNT)})
FIELDS: Final[Schema] = {"type": "object", "additionalProperties": _ref("value")}

DEFS: Final[Mapping[str, Schema]] = {
    "unobservable": {
        "description": "The platform does not show it: neither absent nor any value.",
        **_object({UNSEEN: {"const": True}}),
    },
    "value": _seen({"anyOf": [TEXT, WHOLE, FLAG, _array(TEXT)]}),
    "location": _object({"file": TEXT, "line": COUNT, "column": COUNT}),
    "failure": _object(
        {
            "reason": {**TEXT, "description": "One CamelCase word: a condition's reason, or how the verb ended."},
            "code": TEXT,
            "message": TEXT,
            "retry_after_s": _or_null({"type": "number", "minimum": 0}),
        },
        optional=("retry_after_s",),
    ),
    "finding": _object(
        {
            "rule": TEXT,
            "severity": _one_of(Severity),
            "message": TEXT,
            "hint": TEXT,
            "location": _or_null(_ref("location")),
            "resource": _or_null(TEXT),
        }
    ),
    "target": {
        "oneOf": [
            _object({"model": TEXT}),
            _object({"endpoint_id": TEXT, "endpoint_name": TEXT}),
            _object({"account": TEXT}),
        ]
    },
    "summary": _object(dict.fromkeys(("create", "update", "revert", "unchanged", "deferred", "manual"), COUNT)),
    "change": _object(
        {
            "address": TEXT,
            "target": _ref("target"),
            "action": _one_of(Action),
            "reason": _one_of(ChangeReason),
            "capability": _one_of(Capability),
            "not_before": _or_null(MOMENT),
            "origin": _or_null(_ref("location")),
            "fields": _array(_object({"path": TEXT, "before": _ref("value"), "after": _ref("value")})),
            "precondition": TEXT,
        }
    ),
    "verdict": _object({"id": TEXT, "verdict": _one_of(VerdictKind), "address": _or_null(TEXT)}),
}

PLAN: Final[Schema] = _object(
    {
        "format_version": VERSION,
        "account": TEXT,
        "inputs_digest": TEXT,
        "observed_at": _or_null(MOMENT),
        "summary": _ref("summary"),
        "changes": _array(_ref("change")),
        "guards": _array(_ref("verdict")),
        "findings": FINDINGS,
        "errors": ERRORS,
    }
)
VALIDATE: Final[Schema] = _object(
    {"format_version": VERSION, "resources": COUNT, "findings": FINDINGS, "errors": ERRORS}
)
# Closed, so that no verb's own document passes for one when a key of it is missing.
ERROR: Final[Schema] = {
    **_object({"format_version": VERSION, "errors": {**ERRORS, "minItems": 1}}),
    "additionalProperties": False,
}
OUTCOME: Final[Schema] = _object(
    {
        "address": TEXT,
        "target": _ref("target"),
        "result": _one_of(Result),
        "reason": _or_null(_one_of(Reason)),
        "code": TEXT,
        "message": TEXT,
        "confirmed": FLAG,
        "stale": FLAG,
        "not_before": _or_null(MOMENT),
    }
)
DRIFT: Final[Schema] = _object(
    {
        "format_version": VERSION,
        "account": TEXT,
        "observed_at": _or_null(MOMENT),
        "drifts": _array(
            _object(
                {
                    "address": TEXT,
                    "target": _ref("target"),
                    "moved": _one_of(Moved),
                    "equal_at": _or_null(MOMENT),
                    "origin": _or_null(_ref("location")),
                    "fields": _array(
                        _object(
                            {
                                "path": TEXT,
                                "declared": _ref("value"),
                                "applied": _ref("value"),
                                "live": _ref("value"),
                                "moved": _one_of(Moved),
                            }
                        )
                    ),
                }
            )
        ),
        "unmanaged": FINDINGS,
        "errors": ERRORS,
    }
)
APPLY: Final[Schema] = _object(
    {
        "format_version": VERSION,
        "account": TEXT,
        "run": TEXT,
        "started_at": MOMENT,
        "finished_at": MOMENT,
        "interrupted": FLAG,
        "summary": _object(dict.fromkeys((result.value for result in Result), COUNT)),
        "outcomes": _array(OUTCOME),
        "next_wake": _or_null(MOMENT),
        "plan": _object(
            {key: PLAN["properties"][key] for key in ("inputs_digest", "observed_at", "summary", "changes", "guards")}
        ),
        "findings": FINDINGS,
        "errors": ERRORS,
    }
)
MODEL: Final[Schema] = _object(
    {
        "name": TEXT,
        "display_name": TEXT,
        "domain": TEXT,
        "deprecated": FLAG,
        "billing": _seen(_one_of(Billing)),
        "state": _seen(_one_of(ActivationState)),
        "sub_services": _seen(_array(TEXT)),
        "free_tokens": _seen(
            _object({"total": WHOLE, "consumed": WHOLE, "remaining": WHOLE, "observed_at": _or_null(MOMENT)})
        ),
        "limit": _seen(
            _object(
                {
                    "tokens": COUNT,
                    "used": _or_null(COUNT),
                    "effective_at": _or_null(MOMENT),
                    "observed_at": _or_null(MOMENT),
                }
            )
        ),
        "rate_limit": _seen(RATE),
        "prices": _array(_object({"item": TEXT, "amount": _or_null(TEXT), "unit": TEXT})),
        "paused": _or_null(_object({"reason": _one_of(PauseReason), "since": _or_null(MOMENT)})),
        "docs_url": TEXT,
    }
)
ENDPOINT: Final[Schema] = _object(
    {
        "id": TEXT,
        "name": TEXT,
        "model": TEXT,
        "model_version": TEXT,
        "status": TEXT,
        "override": _seen(RATE),
        "effective": _seen(RATE),
        "scale_tier": _seen(TEXT),
        "model_units": _seen(TEXT),
        "batch_only": _seen(FLAG),
    }
)
CONDITION: Final[Schema] = _object(
    {
        "type": _one_of(ConditionType),
        "status": _one_of(Truth),
        "reason": _one_of(Reason),
        "message": TEXT,
        "lastTransitionTime": MOMENT,
        "observedGeneration": WHOLE,
    },
    optional=("observedGeneration",),
)
PROBLEM: Final[Schema] = _object(
    {
        "kind": {"enum": ["model", "endpoint", "resource"]},
        "name": TEXT,
        "model": TEXT,
        "reason": {"enum": sorted(STANDINGS)},
        "message": TEXT,
        "fails": FLAG,
        "since": _or_null(MOMENT),
        "expected": _or_null(MOMENT),
        "next": _object(
            {
                "id": {"enum": sorted(STEPS)},
                "text": TEXT,
                "by": {"enum": sorted(WHO)},
                "who": TEXT,
                "where": _or_null(_ref("location")),
                "page": TEXT,
                "not_before": _or_null(MOMENT),
            }
        ),
    }
)
STATUS: Final[Schema] = _object(
    {
        "format_version": VERSION,
        "account": TEXT,
        "platform": TEXT,
        "observed_at": _or_null(MOMENT),
        "problems": _array(PROBLEM),
        "switches": _or_null(
            _object(dict.fromkeys(("free_tokens_only", "auto_activation", "ever_activated", "verified"), _seen(FLAG)))
        ),
        "links": _or_null(_object(dict.fromkeys(("models", "prices", "bills", "activations", "ticket"), TEXT))),
        "models": _array(MODEL),
        "endpoints": _array(ENDPOINT),
        "resources": _array(
            _object(
                {
                    "address": TEXT,
                    "kind": TEXT,
                    "target": _or_null(_ref("target")),
                    "conditions": _array(CONDITION),
                    "details": {"type": "object", "description": "The kind's own status fields, as on its resource."},
                    "observed_generation": _or_null(WHOLE),
                    "next_attempt": _or_null(MOMENT),
                }
            )
        ),
        "capabilities": {
            "type": "object",
            "propertyNames": _one_of(Operation),
            "additionalProperties": _object({"capability": _one_of(Capability), "page": TEXT, "note": TEXT}),
        },
        "findings": FINDINGS,
        "errors": ERRORS,
    }
)
HISTORY: Final[Schema] = _object(
    {
        "format_version": VERSION,
        "runs": _array(
            _object(
                {
                    "id": TEXT,
                    "account": TEXT,
                    "operation": TEXT,
                    "actor": TEXT,
                    "revision": TEXT,
                    "reason": TEXT,
                    "plan": TEXT,
                    "set": TEXT,
                    "link": TEXT,
                    "started_at": MOMENT,
                    "finished_at": _or_null(MOMENT),
                    "result": TEXT,
                    "entries": _or_null(
                        _array(
                            _object(
                                {
                                    "sequence": COUNT,
                                    "at": MOMENT,
                                    "address": TEXT,
                                    "target": TEXT,
                                    "action": TEXT,
                                    "before": FIELDS,
                                    "after": FIELDS,
                                    "result": _or_null(TEXT),
                                    "message": TEXT,
                                    "finished_at": _or_null(MOMENT),
                                }
                            )
                        )
                    ),
                }
            )
        ),
        "errors": ERRORS,
    }
)


def _published(name: str, one: Schema, several: str) -> Schema:
    """A whole schema: `one` account's document or, under the key `several`, more than one; or what stands in its place
    when the verb could not get that far."""
    forms = [one, ERROR]
    if several:
        forms.insert(1, _object({"format_version": VERSION, several: _array(one)}))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:modelpolicy:output:{name}:{FORMAT_VERSION}",
        "title": f"modelpolicy {name} -o json",
        "anyOf": forms,
        "$defs": dict(sorted(DEFS.items())),
    }


def output_schemas() -> Mapping[str, Schema]:
    """The schema of each verb's JSON document by the verb's name, sorted."""
    return {
        name: _published(name, one, several)
        for name, one, several in (
            ("apply", APPLY, "accounts"),
            ("drift", DRIFT, "accounts"),
            ("history", HISTORY, ""),
            ("plan", PLAN, "plans"),
            ("status", STATUS, "accounts"),
            ("validate", VALIDATE, ""),
        )
    }
