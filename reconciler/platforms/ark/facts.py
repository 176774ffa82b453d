"""What is known of Volcengine Ark, by the numbers that rules, messages and `explain` name: the origin of docs/platform.md.

S: the platform's own page on activation management (开通管理); D: other rules; A: the interface. Data only: what is not here is
not known.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from reconciler.platforms import Fact

_PAGE: Final = "the platform's own page on activation management (开通管理)"
_FACTS: Final = (
    Fact(
        "S1",
        "`status` and the console show these seven groups of each model",
        _PAGE,
        "可清晰了解…开通状态、免费额度、推理限额、推理定价、LoRA、全量精调定价、模型级别限流",
    ),
    Fact("S2", "`state: Activated` and `NotActivated` can both be declared", _PAGE, "可以配置开通/关闭服务"),
    Fact("S3", "a model has a link to its documentation", _PAGE, "查看模型的接入文档"),
    Fact("S4", "there are three states and no fourth", _PAGE, "未开通、已开通、邀测中"),
    Fact("S5", "a model that is not activated answers while free tokens remain", _PAGE, "未开通前可使用免费额度"),
    Fact("S6", "once they are used up it refuses until it is activated", _PAGE, "免费额度消耗完后可…开通模型"),
    Fact(
        "S7",
        "an activated model uses its free tokens first; billed is what goes beyond them",
        _PAGE,
        "开通服务后仍优先消耗剩余免费额度",
    ),
    Fact(
        "S8",
        "an invite-only model cannot be activated by oneself: a ticket, and no retries",
        _PAGE,
        "邀测…暂无法支持自助开通…提交工单",
    ),
    Fact("S9", "free quota belongs to one model and is never pooled", _PAGE, "每个模型提供一定额度"),
    Fact(
        "S10",
        "free-tokens-only (安心体验模式) is for accounts that never activated a model without it and never had it before; activating "
        "while it is on is possible, switching it off is for ever (docs 1465347)",
        _PAGE,
        "针对未开通过模型服务的新用户",
    ),
    Fact(
        "S11",
        "in that mode nothing is billed; a model's allowance is the gift of 500,000 tokens, whatever more its free packs hold (docs "
        "1465347)",
        _PAGE,
        "仅消耗平台赠送的 50w token 免费额度",
    ),
    Fact(
        "S12",
        "the pause comes when those are as good as used up (the page), or used up (its questions and answers, docs 1465347)",
        _PAGE,
        "接近免费额度后服务将暂停",
    ),
    Fact("S13", "plug-ins and knowledge bases never draw on free quota", _PAGE, "仅适用于抵扣模型推理消耗的 token"),
    Fact("S14", "bills come late, so a limit is the fuse, not the balance", _PAGE, "推账、服务关停存在一定的时间延迟"),
    Fact("S15", "a limit belongs to one model of one account", _PAGE, "为目标模型设置推理限额"),
    Fact(
        "S16",
        "it counts from when it takes effect, which can be read; a one-off total, no monthly budget",
        _PAGE,
        "从限额生效时间起计算",
    ),
    Fact(
        "S17",
        "at the limit that model stops, and no other; a limit too low is an outage",
        _PAGE,
        "达到限额后将自动暂停对应模型服务",
    ),
    Fact("S18", "what is shown of free quota may be an hour old or more", _PAGE, "免费额度数据存在小时级延迟"),
    Fact(
        "S19",
        "to stay within free quota the limit must be below what is shown as remaining",
        _PAGE,
        "限额值尽量小于…免费额度剩余值",
    ),
    Fact("S20", "a limit can be set anew or removed; nothing else", _PAGE, "仅可移除或者重新设置"),
    Fact(
        "S21",
        "two settings of one model's limit are two hours apart. Whether a removal counts is not said, so it is treated as if it did",
        _PAGE,
        "每个模型的推理限额设置需间隔至少 2 小时",
    ),
    Fact("S22", "batch use is neither counted nor stopped", _PAGE, "仅适用于在线推理场景，不支持批量推理"),
    Fact(
        "S23",
        "prefix cache (`context-cache`) and a limit exclude each other",
        _PAGE,
        "前缀缓存…与推理限额功能不可同时启用",
    ),
    Fact(
        "S24",
        "those models take no limit. A digest of the page of 2026-08-13 names speech and multimodal embedding only: the list is data",
        _PAGE,
        "语音、视觉、多模态向量化模型暂不支持",
    ),
    Fact(
        "S25",
        "a limit needs an activated model that is billed by token; activation comes first",
        _PAGE,
        "仅支持为已开通且按 token 后付费的模型设置",
    ),
    Fact(
        "S26",
        "one endpoint with a TPM guarantee package or model units, and its model takes no limit",
        _PAGE,
        "已购买 TPM 保障包或模型单元，暂不支持",
    ),
    Fact(
        "S27",
        "one pair of RPM and TPM for an account and base model, set by the platform",
        _PAGE,
        "每个账号下的每个基础模型…RPM…TPM",
    ),
    Fact("S28", "all endpoints of a base model share that pair", _PAGE, "所有模型推理接入点，共享…模型级别限流"),
    Fact("S29", "traffic on model units is outside it", _PAGE, "不包含购买的模型单元"),
    Fact("S30", "an endpoint's own rate is the user's to set", _PAGE, "接入点的限流可以…自定义配置"),
    Fact(
        "S31",
        "more than that pair takes a ticket; it is asserted (`requires`), never written",
        _PAGE,
        "如需提升模型级别限流，可提交工单",
    ),
    Fact("S32", "prices are read, never declared", _PAGE, "定价详见产品计费文档"),
    Fact(
        "D1",
        "an endpoint's effective rate is the least of its override and what is left of the model's; overrides may add up to more than the model's",
        "digest, 2026-08-19",
    ),
    Fact(
        "D2",
        "a TPM guarantee package is outside the model's rate; what overflows it falls back into it",
        "docs, BytePlus 1099522",
    ),
    Fact("D3", "an endpoint may change its model's version, never its base model", "docs, BytePlus 1182403"),
    Fact(
        "D4", "deleting an endpoint does not cancel its package; a running endpoint may have to be stopped first", "CLI"
    ),
    Fact("D5", "activating needs real-name verification, and may need a balance", "CLI"),
    Fact(
        "D6",
        "free-tokens-only is a switch of the whole account, over models but embedding, video generation and simultaneous "
        "interpretation, and over online use billed by token, not plug-ins or knowledge bases; TPM guarantee packages, model units and "
        "the inference cache need it off first",
        "docs 1465347; BytePlus' page agrees but does not name video",
    ),
    Fact(
        "D7",
        "free quota covers online use billed by token only; it may overshoot, because accounting lags",
        "digest 1544681; docs, BytePlus 1399514",
    ),
    Fact(
        "D8",
        "auto-activation covers new models that support it; `doubao-seed-evolving` does not",
        "digest 1159200, 2026-08-13",
    ),
    Fact(
        "D9",
        "a minute overdue stops what has neither package nor free quota; bills lag five to ten minutes",
        "digest 1544681",
    ),
    Fact(
        "D10",
        "TPM is deducted in advance by an estimate, so a request may be throttled with room left; throttled requests cost nothing",
        "digest 1359411",
    ),
    Fact("D11", "accounts that paid in little have a cap on concurrency besides", "digest"),
    Fact("D12", "batch, packages, model units and fine-tuned models need endpoints of one's own", "digest 2123245"),
    Fact("D13", "packages and model units exclude context cache and structured output", "digest"),
    Fact("D14", "rates are ceilings, not guarantees", "docs, BytePlus 1848593"),
    Fact(
        "D15",
        "model units in mainland China, continued pre-training and GRPO are given on application",
        "digest; docs 1099459",
    ),
    Fact("D16", "a new endpoint on model units takes five to ten minutes to be scheduled", "docs 2122001, 2025-12"),
    Fact("D17", "activations and limits belong to the account, endpoints and API keys to a project", "digest"),
    Fact(
        "D18",
        "what an account was charged is listed in the console's centre of costs, console.volcengine.com/finance/bill/detail",
        "docs, 费用中心 and 联网产品计费, in a public mirror of 2025-12-19",
    ),
    Fact(
        "A1",
        "one RPC: `POST /?Action=…&Version=2024-01-01`, service `ark`, JSON in PascalCase, signed with HMAC-SHA256 (V4 without a prefix on the secret); the signature covers the headers its SignedHeaders list names",
        "SDK; docs 1261492",
    ),
    Fact(
        "A2",
        "a failure is `ResponseMetadata.Error`, with an HTTP status of 4xx or 5xx, or with HTTP 200; a reply without ResponseMetadata is an internal error",
        "SDK",
    ),
    Fact("A3", "the SDK sends a request up to four times, creates included; CreateEndpoint has no client token", "SDK"),
    Fact(
        "A4",
        "gateway codes: MissingParameter, MissingRequestInfo, InvalidTimestamp, ServiceNotFound, InvalidActionOrVersion, InvalidAccessKey, SignatureDoesNotMatch, AccessDenied, InternalError, InternalServiceTimeout, FlowLimitExceeded (may be HTTP 429 with Retry-After), ServiceUnavailableTemp, InternalServiceError, InvalidAuthorization, InvalidCredential, InvalidSecretToken",
        "docs 6369 by CLI; seen",
    ),
    Fact(
        "A5",
        "control-plane codes: `OperationDenied.EndpointStatus`, `OperationDenied` by NotVerifiedAccount or BalanceNotEnough, `InvalidParameter.SubServices`, `NotFound.ProjectName`, `ResourceNotFound.Plan`",
        "CLI; digest",
    ),
    Fact(
        "A6",
        "ListEndpoints pages from 1, 1 to 100 items, and omits BatchOnly, ScaleTierId, SupportScaleTier and Moderation, which GetEndpoint has",
        "SDK; docs",
    ),
    Fact(
        "A7",
        "UpdateEndpoint takes Rpm and Tpm together; no published way clears an override back to inherited; both are 32-bit",
        "docs 1262814; CLI",
    ),
    Fact("A8", "Rpm or Tpm of -1, null or absent means inherited", "seen"),
    Fact(
        "A9",
        "OpenModelChargeItem activates; it is asynchronous and harmless to repeat; sub-services can be added one by one",
        "CLI",
    ),
    Fact(
        "A10",
        "deactivating, setting or removing an inference limit, and free-tokens-only have no published action; reading a limit is the console's own; ActivateModels, EnableAutoModelActivation and DisableAutoModelActivation are published by name only",
        "not found; digest",
    ),
    Fact(
        "A11",
        "activations, limits, prices and model rates go by the FoundationModelName without a version; the model id of a call is `<name>-<version>`",
        "CLI",
    ),
    Fact(
        "A12",
        "calls are refused with `ModelNotOpen` (404), `QuotaExceeded`, `SetLimitExceeded`, `ModelAccountRpmRateLimitExceeded`, `ModelAccountTpmRateLimitExceeded`, `RateLimitExceeded.EndpointRPMExceeded` and `…TPMExceeded` (429); `SetLimitExceeded` is no use retrying",
        "CLI; digest 1299023",
    ),
    Fact(
        "A13",
        "the account's id is AccountId of GetCallerIdentity (service `sts`, 2018-01-01) and the column AccountID of "
        "GetInferenceUsage; a key says nothing of it, and is exchanged",
        "SDK; digest 2116766, 2026-09-02",
    ),
    Fact(
        "A14",
        "a model's page of the console, with its documentation, is `…/model/detail?Id=<FoundationModelName>`: the list of models "
        "links it so",
        "docs 1330310, 2026-05-19, as quoted by others; BytePlus' list does the same",
    ),
    Fact(
        "A15",
        "GetInferenceUsage tells use by day or hour of UTC+8, at most 31 days at a time, 5 to 30 minutes late, speech left out: a table "
        "of text whose columns are named by Fields, with those of the filters' keys; a key with empty Values groups by it. Rows of "
        "`free_for_model_unit`, `free_for_viptier` and `free_for_coding_plan` are paid for already, those with a BatchType are batch. "
        "How an hour is written and whether the running one is included is not known",
        "digest 2116766, 2026-09-02; CLI; seen",
    ),
)
FACTS: Final[Mapping[str, Fact]] = MappingProxyType({fact.number: fact for fact in _FACTS})
