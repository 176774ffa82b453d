"""The platform itself keeps every statement S1 to S32 of the fact sheet, read from its own page on activation management."""

import dataclasses
from datetime import UTC, datetime

import pytest

from reconciler.errors import Conflict, Permanent, Transient
from reconciler.platforms.embedded.engine import Engine
from reconciler.platforms.embedded.platform import CAPABILITIES, EmbeddedPlatform
from reconciler.platforms.embedded.refusals import MEANINGS, Code, Refusal
from reconciler.reasons import Reason
from reconciler.state import (
    ActivationState,
    FreeTokens,
    Limit,
    Model,
    Operation,
    PauseReason,
    Price,
    Rate,
    Target,
    Write,
)


def refusal(do, *arguments, **named) -> Refusal:
    with pytest.raises(Refusal) as caught:
        do(*arguments, **named)
    return caught.value


def test_s1_a_model_shows_the_seven_groups(small):
    """S1 可清晰了解…开通状态、免费额度消耗、推理限额使用、输入/输出定价、LoRA/全量精调定价、模型级别限流"""
    small.activated("doubao-seed-1-6", free_total=500_000)
    small.engine.set_limit("doubao-seed-1-6", 1000)
    model = small.seen("doubao-seed-1-6")
    assert isinstance(model.state, ActivationState)
    assert isinstance(model.free_tokens, FreeTokens)
    assert isinstance(model.limit, Limit)
    items = {price.item for price in model.prices}
    assert {"InferencePrompt", "InferenceCompletion", "LoraFinetune", "Finetune"} <= items
    assert isinstance(model.rate_limit, Rate)


def test_s2_both_transitions_are_there(small):
    """S2 可配置开通/关闭服务"""
    small.model()
    small.engine.activate("chat")
    assert small.seen().state == "Activated"
    small.engine.deactivate("chat")
    assert small.seen().state == "NotActivated"


def test_s3_a_model_links_to_its_documentation(small):
    """S3 查看模型的接入文档"""
    assert small.seen("doubao-seed-1-6").docs_url.startswith("https://www.volcengine.com/docs/")


def test_s4_a_state_is_one_of_three(small):
    """S4 未开通/已开通/邀测中"""
    small.model("new")
    small.activated("open")
    small.model("invited", invite_only=1)
    assert [small.seen(name).state for name in ("new", "open", "invited")] == [
        "NotActivated",
        "Activated",
        "InviteOnly",
    ]
    assert {model.state for model in small.engine.snapshot().models.values()} <= set(ActivationState)


def test_s5_free_quota_may_be_used_before_activation(small):
    """S5 未开通前可使用免费额度"""
    small.model()
    assert small.use(tokens=10).free == 10


def test_s6_without_free_quota_a_model_serves_only_once_activated(small):
    """S6 免费额度消耗完后可…开通模型，并继续付费使用"""
    small.model(free_total=100)
    small.use(tokens=100)
    assert small.refused() == "QuotaExceeded"
    assert small.seen().pause.reason is PauseReason.FREE_QUOTA_EXHAUSTED
    small.engine.activate("chat")
    assert small.seen().pause is None
    assert small.use(tokens=10).billed == 10


def test_s7_an_activated_model_bills_only_what_exceeds_the_free_quota(small):
    """S7 开通服务后仍优先消耗剩余免费额度"""
    small.model(free_total=1000)
    small.use(tokens=400)
    small.engine.activate("chat")
    charge = small.use(tokens=1000)
    assert (charge.free, charge.billed) == (600, 400)


def test_s8_an_invite_only_model_needs_a_ticket(small):
    """S8 邀测…无法支持自助开通…提交工单"""
    small.model(invite_only=1)
    said = refusal(small.engine.activate, "chat")
    error = said.as_platform_error()
    assert isinstance(error, Permanent)
    assert error.reason is Reason.TICKET_REQUIRED
    assert "workorder" in str(error)
    assert small.seen().state == "InviteOnly"


def test_s8_an_invite_only_model_that_is_activated_already_stays_so(small):
    small.model(invite_only=1, activated=1)
    small.engine.activate("chat")
    assert small.seen().state == "Activated"


def test_s9_free_quota_is_each_models_own(small):
    """S9 每个模型提供一定额度"""
    small.model("one", free_total=100)
    small.model("two", free_total=100)
    small.use("one", 100)
    assert small.refused("one") == "QuotaExceeded"
    assert small.use("two", 100).free_remaining == 0


def test_s10_free_tokens_only_is_for_those_who_never_activated_without_it(small):
    """S10 针对未开通过模型服务的新用户"""
    small.engine.set_free_tokens_only(enabled=True)
    small.activated()
    assert small.engine.switches().switches.free_tokens_only is True
    small.engine.set_free_tokens_only(enabled=False)
    assert refusal(small.engine.set_free_tokens_only, enabled=True).code is Code.FREE_TOKENS_ONLY_USED_UP


def test_s11_free_tokens_only_never_makes_a_bill(small):
    """S11 仅消耗…50w token 免费额度"""
    small.model(free_total=900_000)
    small.engine.set_free_tokens_only(enabled=True)
    small.engine.activate("chat")
    charges = [small.use(tokens=99_000) for _ in range(6)]
    assert sum(charge.free for charge in charges) == 500_000
    assert small.refused(tokens=1) == "SetLimitExceeded"
    assert {charge.billed for charge in charges} == {0}


def test_s12_free_tokens_only_pauses_when_the_gift_is_used_up(small):
    """S12 接近免费额度后服务将暂停"""
    small.model()
    small.engine.set_free_tokens_only(enabled=True)
    small.use(tokens=499_000)
    assert small.seen().pause is None
    small.use(tokens=1000)
    assert small.seen().pause.reason is PauseReason.FREE_TOKENS_ONLY


@pytest.mark.parametrize("kind", ["plugin", "knowledge-base"])
def test_s13_plugins_and_knowledge_bases_never_use_free_quota(small, kind):
    """S13 仅抵扣推理 token…不能抵扣插件、知识库"""
    small.activated()
    assert small.use(kind=kind).free_remaining == 500_000


def test_s14_the_limit_stops_at_once_where_the_displayed_quota_lags(small):
    """S14 推账、服务关停存在一定的时间延迟"""
    small.activated(free_total=1000)
    small.engine.set_limit("chat", 900)
    small.use(tokens=900)
    assert small.seen().free_tokens.consumed == 0
    assert small.refused() == "SetLimitExceeded"


def test_s15_a_limit_is_of_one_model_whatever_the_endpoint(small):
    """S15 为目标模型设置"""
    small.activated()
    small.endpoint("ep-1")
    small.endpoint("ep-2")
    small.engine.set_limit("chat", 1000)
    small.use("ep-1", 500)
    small.use("ep-2", 500)
    assert small.refused("ep-1") == small.refused("ep-2") == small.refused("chat") == "SetLimitExceeded"


def test_s16_a_limit_counts_from_its_effective_time_for_good(small):
    """S16 从限额生效时间起计算（可查看生效时间）"""
    small.activated()
    small.use(tokens=700)
    small.engine.set_limit("chat", 1000)
    effective = small.clock.now
    small.use(tokens=600)
    small.clock.forward(days=60)
    assert small.seen().limit == Limit(1000, 600, effective, small.clock.now)
    small.use(tokens=400)
    assert small.refused() == "SetLimitExceeded"


def test_s17_a_reached_limit_pauses_its_model_alone(small):
    """S17 达到限额后将自动暂停对应模型服务"""
    small.activated("one")
    small.activated("two")
    small.engine.set_limit("one", 10)
    assert small.use("one", 10).paused
    assert small.seen("one").pause.reason is PauseReason.LIMIT_REACHED
    assert small.refused("one") == "SetLimitExceeded"
    assert small.use("two", 10).tokens == 10


def test_s18_the_displayed_free_quota_lags_by_up_to_an_hour(small):
    """S18 免费额度数据存在小时级延迟"""
    small.model()
    small.clock.forward(minutes=29)
    small.use(tokens=1000)
    shown = small.seen().free_tokens
    assert (shown.remaining, shown.observed_at) == (500_000, datetime(2026, 11, 23, 9, tzinfo=UTC))
    small.clock.forward(minutes=1)
    assert small.seen().free_tokens.remaining == 499_000


def test_s19_a_limit_below_the_displayed_quota_keeps_the_bill_at_nothing(small):
    """S19 限额值尽量小于控制台显示的免费额度剩余值"""
    small.activated()
    small.use(tokens=100_000)
    small.clock.forward(hours=1)
    shown = small.seen().free_tokens.remaining
    small.engine.set_limit("chat", shown - 1000)
    charges = [small.use(tokens=(shown - 1000) // 3) for _ in range(3)]
    assert sum(charge.billed for charge in charges) == 0
    assert charges[-1].paused


def test_s20_a_limit_is_set_or_removed_and_nothing_else():
    """S20 仅可移除或者重新设置"""
    of_limits = {operation for operation in Operation if "limit" in operation.value}
    assert of_limits == {Operation.SET_LIMIT, Operation.REMOVE_LIMIT, Operation.READ_LIMIT}


def test_s21_sets_of_one_model_are_two_hours_apart(small):
    """S21 每个模型的推理限额设置需间隔至少 2 小时"""
    small.activated("one")
    small.activated("two")
    small.engine.set_limit("one", 10)
    small.engine.set_limit("two", 10)
    said = refusal(small.engine.set_limit, "one", 20)
    error = said.as_platform_error()
    assert isinstance(error, Transient)
    assert (error.reason, error.retry_after_s) == (Reason.COOLING_DOWN, 7200)
    small.engine.remove_limit("one")
    assert refusal(small.engine.set_limit, "one", 20).code is Code.LIMIT_INTERVAL
    small.clock.forward(hours=2)
    small.engine.set_limit("one", 20)


def test_s22_batch_use_neither_counts_nor_pauses(small):
    """S22 仅适用于在线推理，不支持批量推理"""
    small.activated()
    small.engine.set_limit("chat", 100)
    assert small.use(tokens=1000, kind="batch").counted == 0
    small.use(tokens=100)
    assert small.use(tokens=1000, kind="batch").billed == 1000


def test_s23_prefix_cache_and_a_limit_exclude_each_other(small):
    """S23 前缀缓存功能与推理限额功能不可同时启用"""
    small.activated()
    small.engine.set_sub_service("chat", "context-cache", enabled=True)
    assert refusal(small.engine.set_limit, "chat", 10).code is Code.LIMIT_PREFIX_CACHE
    small.engine.set_sub_service("chat", "context-cache", enabled=False)
    small.engine.set_limit("chat", 10)
    assert refusal(small.engine.set_sub_service, "chat", "context-cache", enabled=True).code is Code.LIMIT_PREFIX_CACHE
    small.engine.set_sub_service("chat", "fast-infer", enabled=True)
    assert small.seen().sub_services == ("fast-infer",)


@pytest.mark.parametrize(
    "columns",
    [
        {"domain": "Audio"},
        {"domain": "ComputerVision"},
        {"domain": "Embedding", "task_types": "TextEmbedding,MultimodalEmbedding"},
    ],
    ids=["speech", "vision", "multimodal embedding"],
)
def test_s24_speech_vision_and_multimodal_embedding_have_no_limit(small, columns):
    """S24 语音、视觉、多模态向量化模型暂不支持"""
    small.activated(**columns)
    said = refusal(small.engine.set_limit, "chat", 10)
    assert said.code is Code.LIMIT_MODALITY
    assert isinstance(said.as_platform_error(), Permanent)


@pytest.mark.parametrize(
    "columns", [{"domain": "VLM"}, {"domain": "Embedding", "task_types": "TextEmbedding"}, {"domain": "LLM"}]
)
def test_s24_a_language_model_that_also_sees_has_a_limit(small, columns):
    small.activated(**columns)
    small.engine.set_limit("chat", 10)
    assert small.seen().limit.tokens == 10


def test_s25_a_limit_needs_an_activated_model_that_is_paid_by_token(small):
    """S25 仅支持…已开通且按 token 后付费"""
    small.model()
    said = refusal(small.engine.set_limit, "chat", 10)
    assert said.code is Code.SERVICE_NOT_OPEN
    assert isinstance(said.as_platform_error(), Conflict)
    small.model("invited", invite_only=1)
    assert refusal(small.engine.set_limit, "invited", 10).code is Code.SERVICE_NOT_OPEN
    small.activated("by-unit", billing="ModelUnit")
    assert refusal(small.engine.set_limit, "by-unit", 10).code is Code.LIMIT_BILLING


def test_s25_deactivating_beside_a_limit_is_refused(small):
    small.activated()
    small.engine.set_limit("chat", 10)
    assert refusal(small.engine.deactivate, "chat").code is Code.LIMIT_IS_SET
    small.engine.remove_limit("chat")
    small.engine.deactivate("chat")
    assert small.seen().state == "NotActivated"


@pytest.mark.parametrize("capacity", [{"scale_tpm": 10_000}, {"model_units": 1}])
def test_s26_bought_capacity_excludes_a_limit(small, capacity):
    """S26 接入点已购买 TPM 保障包或模型单元，暂不支持"""
    small.activated()
    small.endpoint(**capacity)
    said = refusal(small.engine.set_limit, "chat", 10)
    assert said.code is Code.LIMIT_CAPACITY
    assert "ep-1" in str(said)


def test_s27_a_model_has_one_rate_which_nobody_here_can_write(small):
    """S27 每个账号下的每个基础模型设置了 RPM 及 TPM"""
    small.model(rpm=600, tpm=100_000)
    assert small.seen().rate_limit == Rate(600, 100_000)
    assert not any("model-rate" in operation.value for operation in Operation)


def test_s28_all_endpoints_share_the_models_rate_whatever_their_version(small):
    """S28 所有推理接入点共享…模型级别限流"""
    small.activated(rpm=100, tpm=1000, versions="251015,250615")
    small.endpoint("ep-1", model_version="251015")
    small.endpoint("ep-2", model_version="250615")
    small.use("ep-1", 600)
    assert small.refused("ep-2", 401) == "ModelAccountTpmRateLimitExceeded"
    assert small.use("ep-2", 400).tokens == 400


def test_s29_model_unit_traffic_is_not_in_the_models_rate(small):
    """S29 仅包含按照Token后付费…不包含模型单元"""
    small.activated(rpm=1, tpm=10)
    small.endpoint(model_units=1)
    assert small.use("ep-1", 10_000, requests=50).covered == 10_000
    assert small.use("chat", 10).tokens == 10


def test_s30_an_endpoints_rate_is_its_owners_to_set(small):
    """S30 接入点的限流可以…自定义配置"""
    small.activated()
    small.endpoint()
    small.engine.set_override("ep-1", 1, 1000)
    assert small.seen_endpoint().override == Rate(1, 1000)
    small.use("ep-1", 10)
    assert small.refused("ep-1", 10) == "RateLimitExceeded.EndpointRPMExceeded"
    small.engine.set_override("ep-1", None, None)
    assert small.seen_endpoint().override is None
    assert small.use("ep-1", 10).tokens == 10


def test_s31_there_is_no_way_to_raise_a_models_rate():
    """S31 提升模型级别限流，提交工单"""
    assert not [name for name in dir(Engine) if "rate" in name]


def test_s32_prices_are_only_seen(small):
    """S32 定价详见产品计费文档"""
    prices = small.seen("doubao-seed-1-6").prices
    assert Price("InferencePrompt", "0.80", "CNY/1M tokens, from") in prices
    assert not any("price" in operation.value for operation in Operation)
    assert "prices" in {field.name for field in dataclasses.fields(Model)}


def test_an_account_that_is_not_verified_cannot_activate(small):
    """D5: activation requires real-name verification (Ark: OperationDenied, NotVerifiedAccount)."""
    small.model()
    small.add(verified=0)
    said = refusal(small.engine.activate, "chat")
    assert (said.code, "NotVerifiedAccount" in str(said)) == ("OperationDenied", True)


def test_a_sub_service_needs_an_activated_model_and_a_known_name(small):
    small.model()
    assert (
        refusal(small.engine.set_sub_service, "chat", "fast-infer", enabled=True).code
        == "OperationDenied.ServiceNotOpen"
    )
    small.engine.activate("chat")
    assert refusal(small.engine.set_sub_service, "chat", "turbo", enabled=True).code == "InvalidParameter.SubServices"


def test_deactivating_takes_the_sub_services_along(small):
    small.activated()
    small.engine.set_sub_service("chat", "fast-infer", enabled=True)
    small.engine.deactivate("chat")
    assert small.seen().sub_services == ()


@pytest.mark.parametrize("tokens", [0, -1, 2**53, True, 1.5, None, "5"])
def test_a_limit_of_no_sensible_size_is_refused(small, tokens):
    small.activated()
    assert refusal(small.engine.set_limit, "chat", tokens).code is Code.INVALID_VALUE
    assert small.seen().limit is None


@pytest.mark.parametrize(("rpm", "tpm"), [(0, 1), (1, -1), (2**31, 1), (True, 1)])
def test_an_override_of_no_sensible_size_is_refused(small, rpm, tpm):
    small.model()
    small.endpoint()
    assert refusal(small.engine.set_override, "ep-1", rpm, tpm).code is Code.INVALID_VALUE


def test_half_an_override_inherits_the_other_half(small):
    small.activated(tpm=100)
    small.endpoint()
    small.engine.set_override("ep-1", 5, None)
    assert small.seen_endpoint().override == Rate(5, None)
    assert small.refused("ep-1", 101) == "ModelAccountTpmRateLimitExceeded"


# Every code of the fact sheet that this platform answers with; anything else must bear the platform's own prefix.
ARKS = {
    "InvalidEndpointOrModel.NotFound", "InvalidEndpoint.ClosedEndpoint", "OperationDenied.EndpointStatus", "ModelNotOpen",
    "QuotaExceeded", "SetLimitExceeded", "RateLimitExceeded.EndpointRPMExceeded", "RateLimitExceeded.EndpointTPMExceeded",
    "ModelAccountRpmRateLimitExceeded", "ModelAccountTpmRateLimitExceeded", "OperationDenied.ServiceNotOpen",
    "InvalidParameter.SubServices", "OperationDenied",
}  # fmt: skip


def test_a_code_is_arks_by_the_fact_sheet_or_bears_the_platforms_own_prefix():
    assert set(MEANINGS) == set(Code)
    assert {code.value for code in Code if code.is_arks} == ARKS
    assert all(code.value.startswith("Embedded.") for code in Code if not code.is_arks)


def test_everything_is_native_here(small):
    platform = EmbeddedPlatform(small.engine)
    assert all(support.capability == "native" for support in platform.capabilities().values())
    assert set(CAPABILITIES) == set(Operation)
    with pytest.raises(Permanent, match="not a write"):
        platform.write(Write(Operation.READ_LIMIT, Target("InferenceLimit", "chat")))
