"""The vendor's own clients run against the served platform unchanged."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from served import MODEL, Rig

from reconciler.platforms.embedded.httpfaults import Fault, FaultKind

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own source warns on newer Pythons
    import openai
    import volcenginesdkark as ark
    import volcenginesdkcore as core
    from volcenginesdkcore.rest import ApiException


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def client(rig: Rig) -> Iterator[Any]:
    configuration = core.Configuration()
    configuration.ak, configuration.sk = rig.keys.access_key, rig.keys.secret_key
    configuration.region = "cn-beijing"
    configuration.host, configuration.scheme = rig.url.removeprefix("http://"), "http"
    configuration.min_retry_delay_ms = 1  # retries stay on, as shipped
    made = core.ApiClient(configuration)
    yield made
    made.rest_client.pool_manager.clear()


@pytest.fixture
def runtime(rig: Rig) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=rig.keys.api_key, base_url=f"{rig.url}/api/v3", max_retries=0) as client:
        yield client


def call(client: Any, action: str, body: dict[str, Any]) -> Any:
    info = core.UniversalInfo(
        method="POST", service="ark", version="2024-01-01", action=action, content_type="application/json"
    )
    return core.UniversalApi(client).do_call(info, body)


def test_the_typed_api_makes_lists_gets_stops_and_deletes_an_endpoint(client: Any) -> None:
    api = ark.ARKApi(client)
    reference = ark.ModelReferenceForCreateEndpointInput(
        foundation_model=ark.FoundationModelForCreateEndpointInput(name=MODEL, model_version="251015")
    )
    rate = ark.RateLimitForCreateEndpointInput(rpm=10, tpm=1000)
    made = api.create_endpoint(ark.CreateEndpointRequest(name="typed", model_reference=reference, rate_limit=rate))
    assert made.id.startswith("ep-")
    found = api.get_endpoint(ark.GetEndpointRequest(id=made.id))
    assert (found.name, found.rate_limit.rpm, found.batch_only) == ("typed", 10, False)
    listed = api.list_endpoints(
        ark.ListEndpointsRequest(
            page_number=1,
            page_size=10,
            filter=ark.FilterForListEndpointsInput(name="typed", foundation_model_name=MODEL),
        )
    )
    assert [item.id for item in listed.items] == [made.id]
    key = api.get_api_key(ark.GetApiKeyRequest(duration_seconds=600, resource_type="endpoint", resource_ids=[made.id]))
    assert key.api_key
    api.stop_endpoint(ark.StopEndpointRequest(id=made.id))
    api.delete_endpoint(ark.DeleteEndpointRequest(id=made.id))
    with pytest.raises(ApiException) as caught:
        api.get_endpoint(ark.GetEndpointRequest(id=made.id))
    assert caught.value.status == 404


def test_the_universal_api_reaches_the_actions_that_have_no_type(client: Any) -> None:
    assert call(client, "OpenModelChargeItem", {"FoundationModelName": "glm-4-7"}) == {}
    found = call(client, "GetModelActivation", {"FoundationModelName": "glm-4-7"})
    assert found["State"] == "Available"
    assert call(client, "ListModelRateLimit", {"FoundationModelNames": []})["TotalCount"] > 10


def test_the_sdks_retries_pass_through_throttling_and_an_error_in_http_200_is_raised(rig: Rig, client: Any) -> None:
    rig.served.faults.order(Fault(FaultKind.THROTTLE, times=2, seconds=1))
    assert call(client, "ListEndpoints", {})["TotalCount"] >= 0
    rig.served.faults.order(Fault(FaultKind.ERROR_IN_200))
    with pytest.raises(ApiException) as caught:
        call(client, "ListEndpoints", {})
    assert caught.value.status == 200
    assert "InternalServiceError" in caught.value.reason


def test_a_chat_is_echoed_metered_and_says_that_it_is_an_echo(rig: Rig, runtime: openai.OpenAI) -> None:
    before = rig.engine.model(MODEL).models[MODEL].hourly_use
    answer = runtime.chat.completions.create(
        model=f"{MODEL}-251015", messages=[{"role": "user", "content": "hello there"}]
    )
    assert answer.choices[0].message.content.endswith("hello there")
    assert "echo" in answer.choices[0].message.content
    used = rig.engine.model(MODEL).models[MODEL].hourly_use[-1][1] - (before[-1][1] if before else 0)
    assert used == answer.usage.total_tokens > 0


def test_a_chat_streams_its_answer_and_its_usage(runtime: openai.OpenAI) -> None:
    chunks = list(
        runtime.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": [{"type": "text", "text": "one two three four five six"}]}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text.endswith("one two three four five six")
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens


def test_max_tokens_cuts_the_answer_short(runtime: openai.OpenAI) -> None:
    answer = runtime.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "x" * 400}], max_tokens=5
    )
    assert answer.usage.completion_tokens <= 5
    assert answer.choices[0].finish_reason == "length"


def test_embeddings_of_equal_texts_are_equal(runtime: openai.OpenAI) -> None:
    answer = runtime.embeddings.create(
        model="doubao-seed-2-1-turbo", input=["same", "same", "other"], encoding_format="float"
    )
    first, second, third = (item.embedding for item in answer.data)
    assert first == second != third


def test_refusals_of_the_data_plane_have_arks_codes(rig: Rig, runtime: openai.OpenAI) -> None:
    def refusal(model: str, client: openai.OpenAI = runtime) -> tuple[int, str | None]:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])
        return caught.value.status_code, caught.value.code

    assert refusal("no-such-model") == (404, "InvalidEndpointOrModel.NotFound")
    assert refusal("doubao-seed-2-0-pro") == (404, "ModelNotOpen")
    stopped = rig.endpoint("closed", status="Stopped")
    assert refusal(stopped) == (400, "InvalidEndpoint.ClosedEndpoint")
    slow = rig.endpoint("slow", MODEL, rpm=1, tpm=1)
    assert refusal(slow) == (429, "RateLimitExceeded.EndpointTPMExceeded")
    assert refusal(MODEL, runtime.with_options(api_key="CANARY-KEY")) == (401, "AuthenticationError")
    rig.engine.activate("doubao-seed-2-0-mini")
    rig.engine.set_limit("doubao-seed-2-0-mini", 1)
    runtime.chat.completions.create(model="doubao-seed-2-0-mini", messages=[{"role": "user", "content": "hi"}])
    assert refusal("doubao-seed-2-0-mini") == (429, "SetLimitExceeded")


def test_a_temporary_key_opens_its_own_endpoint_only(rig: Rig, client: Any, runtime: openai.OpenAI) -> None:
    mine, other = rig.endpoint("mine"), rig.endpoint("theirs")
    asked = {"DurationSeconds": 600, "ResourceType": "endpoint", "ResourceIds": [mine]}
    temporary = runtime.with_options(api_key=call(client, "GetApiKey", asked)["ApiKey"])
    message = [{"role": "user", "content": "hi"}]
    assert temporary.chat.completions.create(model=mine, messages=message).usage.total_tokens > 0
    with pytest.raises(openai.AuthenticationError):
        temporary.chat.completions.create(model=other, messages=message)


def test_the_data_plane_says_which_parameter_is_wrong(rig: Rig, runtime: openai.OpenAI) -> None:
    for body, param in (
        ({"model": MODEL, "messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": MODEL, "messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "max_tokens": 0}, "max_tokens"),
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            runtime.post("/chat/completions", body=body, cast_to=object)
        assert (caught.value.code, caught.value.param) == ("InvalidParameter", param)
