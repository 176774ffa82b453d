"""Protocol: the served platform takes what its OpenAPI description allows, refuses what that forbids, and never makes a mistake."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Session
from schemathesis import GenerationMode, checks
from served import MODEL, Rig, code_of, post, serve
from torture.conftest import Effort

from reconciler.platforms.embedded import openapi
from reconciler.platforms.embedded.actions import PUBLISHED
from reconciler.platforms.embedded.signing import Request, Scope, signature

DESCRIBED = schemathesis.openapi.from_dict(openapi.document())
OPERATIONS = {each.ok().label.removeprefix("POST "): each.ok() for each in DESCRIBED.get_all_operations()}
JUDGES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory):
    yield from serve(tmp_path_factory.mktemp("served") / "platform.db")


def signed(rig: Rig) -> Callable[[PreparedRequest], PreparedRequest]:
    """What a client's last step does to a request: a signature for the control plane, a key for the rest."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(str(request.url))
        if parts.path != "/":
            request.headers["authorization"] = f"Bearer {rig.keys.api_key}"
            return request
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        scope = Scope(rig.keys.access_key, now[:8], "cn-beijing", "ark")
        sent = Request(str(request.method), parts.query, {"host": parts.netloc, "x-date": now}, body)
        made = signature(sent, "host;x-date", scope, rig.keys.secret_key)
        said = f"HMAC-SHA256 Credential={scope.access_key}/{scope}, SignedHeaders=host;x-date, Signature={made}"
        request.headers.update({"x-date": now, "authorization": said})
        return request

    return sign


def test_every_published_action_is_described() -> None:
    assert openapi.REQUESTS.keys() == PUBLISHED.keys()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_what_is_described_is_answered_as_described(rig: Rig, name: str, effort: Effort) -> None:
    operation, known = OPERATIONS[name], {"FoundationModelName": MODEL, "model": MODEL, "Id": rig.endpoint("known")}
    with Session() as session:
        session.trust_env = False

        @given(
            operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(GenerationMode.NEGATIVE),
            st.booleans(),
        )
        @settings(
            max_examples=effort.pick(6, 300), phases=[Phase.generate], deadline=None, derandomize=not effort.long,
            suppress_health_check=list(HealthCheck), database=None,
        )  # fmt: skip
        def judged(case: schemathesis.Case, of_what_there_is: bool) -> None:
            if of_what_there_is and isinstance(case.body, dict):
                case.body |= {field: value for field, value in known.items() if field in case.body}
            answer = case.call(base_url=rig.url, session=session, auth=signed(rig))
            rig.served.faults.clear()  # an accepted order is not to spoil the next call
            if answer.status_code != 405:  # another method than the described one
                case.validate_response(answer, checks=JUDGES)
            effort.tried()

        judged()


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("CreateEndpoint", {"Name": "\ud800", "ModelReference": {"FoundationModel": {"Name": "doubao-seed-1-6"}}}),
        ("GetEndpoint", {"Id": "\udfff"}),
        ("GetEndpoint", {"Id": "a\x00b"}),
        ("OpenModelChargeItem", {"FoundationModelName": "m", "SubServices": ["\ud800"]}),
        ("ListEndpoints", {"Filter": {"Name": "\ud800"}}),
    ],
)
def test_half_a_character_is_refused_and_no_mistake_of_the_server(rig: Rig, action: str, body: dict) -> None:
    answer = post(rig, action, body)
    assert answer.status_code < 500, answer.text
    assert code_of(answer) != "InternalError"


def test_half_a_character_to_the_data_plane_is_refused(rig: Rig) -> None:
    for path, body in (
        ("chat/completions", {"model": "doubao-seed-1-6", "messages": [{"role": "user", "content": "\ud800"}]}),
        ("embeddings", {"model": "\ud800", "input": "a"}),
    ):
        key = {"authorization": f"Bearer {rig.keys.api_key}"}
        answer = rig.http.post(f"{rig.url}/api/v3/{path}", content=json.dumps(body), headers=key)
        assert 400 <= answer.status_code < 500, answer.text
