"""What status and the console say of how things stand, and of what comes next, in English and in Chinese. A table, no logic.

The Chinese words for the platform's own ideas are those of its page (开通管理). {values} in braces are the step's own.
"""

from typing import Final

Both = tuple[str, str]

STANDINGS: Final[dict[str, Both]] = {
    "AsDeclared": ("As declared", "符合声明"),
    "Unmanaged": ("Not managed", "未纳管"),
    # Why a model does not answer, and what else is told of one.
    "LimitReached": ("Paused: limit reached", "已暂停：达到限额"),
    "FreeTokensOnly": ("Paused: free tokens only", "已暂停：安心体验模式"),
    "FreeQuotaExhausted": ("Free quota used up", "免费额度耗尽"),
    "LimitSoon": ("Limit within a day", "一天内达到限额"),
    "NotServing": ("Does not serve", "未提供服务"),
    "Stopped": ("Stopped", "已停止"),
    # The reasons of conditions.
    "Ready": ("As declared", "符合声明"),
    "Programmed": ("As declared", "符合声明"),
    "Accepted": ("Accepted", "已接受"),
    "Attested": ("Attested", "已人工确认"),
    "Expired": ("Expired", "已到期"),
    "Pending": ("To be changed", "待变更"),
    "NotAttempted": ("Not attempted", "未尝试"),
    "WriteUnconfirmed": ("Not yet confirmed", "尚未确认"),
    "Reconciling": ("To be changed", "待变更"),
    "RuleViolation": ("Breaks a rule", "违反规则"),
    "Conflicted": ("Declared twice", "声明冲突"),
    "TargetNotFound": ("Not found", "未找到"),
    "CoolingDown": ("Waits two hours", "等待两小时间隔"),
    "Settling": ("Looked at again first", "等待再次确认"),
    "TicketRequired": ("Needs a ticket", "需提交工单"),
    "ManualActionRequired": ("For a person to do", "需人工操作"),
    "ConsentRequired": ("Needs consent to pay", "需同意付费"),
    "GuardRefused": ("Held by a guard", "被防护规则拦截"),
    "DeletionBlocked": ("Cannot go yet", "暂时无法移除"),
    "Paused": ("Left alone", "已搁置"),
    "Drifted": ("Drifted", "已漂移"),
    "PlatformUnavailable": ("Platform unavailable", "平台不可用"),
    "Throttled": ("Throttled", "被限流"),
    "AccountChanged": ("Another account", "账号已变更"),
    "CredentialsInvalid": ("Key not accepted", "密钥无效"),
    "CredentialsValid": ("Key accepted", "密钥有效"),
    "PermissionDenied": ("Not permitted", "没有权限"),
    "PlatformRefused": ("Refused by the platform", "被平台拒绝"),
}

PAUSES: Final[dict[str, Both]] = {
    "LimitReached": (
        "Its inference limit was reached, so the platform stopped it.",
        "已达到推理限额，平台已自动暂停该模型服务。",
    ),
    "FreeTokensOnly": (
        "Free-tokens-only mode stopped it: its gift of free tokens is used up.",
        "安心体验模式下赠送的免费额度已用尽，平台已暂停该模型服务。",
    ),
    "FreeQuotaExhausted": (
        "Its free quota is used up and it is not activated, so calls are refused.",
        "免费额度已耗尽且该模型未开通，调用会被拒绝。",
    ),
}

STEPS: Final[dict[str, Both]] = {
    "raise-declared": (
        "Raise tokens above the {used} used, or change renewal to count from 0 again, and apply it.",
        "将 tokens 调高到已用的 {used} 以上，或修改 renewal 使用量从 0 重新计算，然后执行 apply。",
    ),
    "raise-declared-unseen": (
        "Raise tokens, or change renewal to count from 0 again, and apply it.",
        "调高 tokens，或修改 renewal 使用量从 0 重新计算，然后执行 apply。",
    ),
    "raise-by-hand": (
        "Raise tokens above the {used} used in the file, set the same on the platform's page, then record it: modelpolicy attest {address}.",
        "先在文件中将 tokens 调高到已用的 {used} 以上，再在平台页面设置相同的值，然后记录：modelpolicy attest {address}。",
    ),
    "raise-live": (
        "No declaration sets this limit: raise or remove it on the platform's page, or declare an InferenceLimit above the {used} used.",
        "此限额不来自任何声明：请在平台页面调高或移除，或声明一个高于已用 {used} 的 InferenceLimit。",
    ),
    "raise-live-unseen": (
        "No declaration sets this limit: raise or remove it on the platform's page, or declare an InferenceLimit.",
        "此限额不来自任何声明：请在平台页面调高或移除，或声明一个 InferenceLimit。",
    ),
    "set-planned": (
        "Apply: the declared {tokens} tokens are set, counting restarts at 0 and the model resumes.",
        "执行 apply：将按声明设置 {tokens} token，用量从 0 重新计算，模型恢复服务。",
    ),
    "removed-planned": ("Apply: the limit is removed and the model resumes.", "执行 apply：移除限额后模型恢复服务。"),
    "leave-safe-mode": (
        "Declare freeTokensOnly: false on the account and activate the model: from then on its use is billed.",
        "在账号上声明 freeTokensOnly: false 并开通该模型：此后的用量将计费。",
    ),
    "activate": (
        "Declare the model Activated: from then on its use is billed.",
        "声明开通该模型：此后的用量将计费。",
    ),
    "activate-planned": (
        "Apply: the declared activation is carried out, and its use is billed from then on.",
        "执行 apply：按声明开通，此后的用量将计费。",
    ),
    "apply": ("Look at the plan, then apply it.", "先查看计划，再执行 apply。"),
    "observe-only": (
        "Nothing is written here (management: Observe): change the file, or the platform.",
        "此处不写入（management: Observe）：请修改文件或平台。",
    ),
    "wait": ("Apply it then; a running watch waits for it by itself.", "届时执行 apply；运行中的 watch 会自动等待。"),
    "look-again": ("Look again in a moment.", "请稍后再看。"),
    "retry": (
        "Look again later; modelpolicy doctor examines the account.",
        "请稍后再看；modelpolicy doctor 可检查该账号。",
    ),
    "check-by-hand": (
        "The platform cannot show it: look at its page, then record it: modelpolicy attest {address}.",
        "平台无法显示：请在其页面确认后记录：modelpolicy attest {address}。",
    ),
    "renew-key": (
        "Give the account a key that works; modelpolicy doctor examines it.",
        "请更换可用的密钥；modelpolicy doctor 可检查。",
    ),
    "permit": (
        "Give the key the permission that the message names; modelpolicy doctor lists them.",
        "请授予密钥消息中所列的权限；modelpolicy doctor 可逐项列出。",
    ),
    "consent": (
        "Say allowActivation: true on the account: activating is a consent to pay.",
        "在账号上声明 allowActivation: true：开通即同意付费。",
    ),
    "guard": (
        'Change the declaration, or allow it: modelpolicy apply --allow GUARD --reason "why".',
        "修改声明，或放行：modelpolicy apply --allow GUARD --reason 原因。",
    ),
    "ticket": ("Open a ticket with the platform.", "请向平台提交工单。"),
    "by-hand": (
        "Do it on the platform's page, then record it: modelpolicy attest {address}.",
        "请在平台页面操作，然后记录：modelpolicy attest {address}。",
    ),
    "change-file": ("Change the declaration.", "请修改声明。"),
    "rebind": (
        "Point the account back; if the change is meant, modelpolicy ledger rebind says so.",
        "请改回原账号；如确需变更，请执行 modelpolicy ledger rebind。",
    ),
    "one-of-two": ("Remove or change one of the two declarations.", "请移除或修改其中一个声明。"),
    "correct-name": ("Correct the name, or make what it names.", "请更正名称，或先创建对应的对象。"),
    "not-attempted": (
        "This run leaves it: modelpolicy plan says why.",
        "本次运行不处理：modelpolicy plan 会说明原因。",
    ),
    "resume-annotation": (
        "The annotation modelpolicy.dev/paused leaves it alone: take it off to go on.",
        "注解 modelpolicy.dev/paused 使其搁置：移除后继续。",
    ),
    "start-endpoint": ("Start the endpoint on the platform's page.", "请在平台页面启动该接入点。"),
    "raise-before": (
        "Raise tokens before the limit is reached: about {rate} tokens an hour are used.",
        "请在达到限额前调高 tokens：目前每小时约用 {rate} token。",
    ),
}

WHO: Final[dict[str, Both]] = {
    "file": ("whoever may change the policy files", "有权修改策略文件的人"),
    "account": ("whoever owns the account's declaration", "账号声明的负责人"),
    "apply": (
        "whoever runs apply; a running watch or operator does it by itself",
        "执行 apply 的人；运行中的 watch 或 operator 会自动执行",
    ),
    "page": ("somebody with access to the platform's console", "可登录平台控制台的人"),
    "key": ("whoever holds the account's access key", "账号访问密钥的持有人"),
    "platform": ("the platform's staff, on a ticket", "平台工作人员（凭工单）"),
    "nobody": ("nobody: it mends itself", "无需操作，会自行恢复"),
}
