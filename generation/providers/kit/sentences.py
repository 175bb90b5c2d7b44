"""The sentences of relays and of OpenAI-style services, in Chinese and in English.

They are looked for outside quotations, in this order, where no code decides.
"""

from generation.providers.kit.verdicts import (
    AUTH,
    CHANNEL_GONE,
    FORBIDDEN,
    INVALID,
    NO_CREDIT,
    NO_ROOM,
    NOT_FOUND,
    SATURATED,
    TOO_FAST,
    UNSUPPORTED,
    rules,
    words,
)

#: Sentences more exact than the code they come with.
BEFORE_CODES = rules(
    # OpenAI: no pause makes it fit.
    (r"request too large\b.*\blimit\b.*\brequested", INVALID),
    (r"无可用渠道", NO_ROOM),
)

#: What is only said before an upstream is asked, so that it is true of an answer above 499 too.
REFUSALS = rules(
    (r"额度已用尽|(用户|令牌)(剩余)?额度不足|预扣费(额度)?失败|quota is not enough", NO_CREDIT),
    (
        r"无效的令牌|未提供令牌|令牌已(过期|失效)|令牌状态不可用|用户已被封禁|不在令牌允许访问的?列表"
        r"|(invalid|incorrect) api[ _-]?key",
        AUTH,
    ),
    (r"无权(访问|使用)模型", FORBIDDEN),
    (
        r"无可用的?(渠道|账号|账户)|实例不存在或不可用|队列已满|queue (is )?full"
        r"|no available (\w+ ){0,3}(channel|account|deployment)s?\b"
        r"|no (healthy )?deployments? available",
        NO_ROOM,
    ),
    (r"负载已饱和", SATURATED),
    (r"渠道已被禁用|获取渠道信息失败", CHANNEL_GONE),
    (r"invalid url \(|invalid model name passed|not implemented", UNSUPPORTED),
)

#: A relay's own trouble, with its database, its disk or its connections. It may come after the
#: upstream has taken the order, and speaks of limits as a refusal does.
TROUBLE = words(
    r"too many (connections|clients|open files)|error 1[0-9]{3}\b|sqlstate|\bsql:|deadlock"
    r"|database|数据库|disk quota|no space left|concurrent (update|map|write)|broken pipe"
    r"|connection (refused|reset|closed)|unexpected eof|i/o timeout|context (deadline|cancell?ed)"
    r"|panic|runtime error|bad gateway|gateway time-?out|upstream (connect|request timeout)"
)

#: What else is clear below 500, where the request was read and nothing broke.
PLAIN = rules(
    (
        r"(insufficient|not enough|no( more)?|out of) (\w+ )?(credits?|balance|funds|quota)\b"
        r"|credits? (is|are) (insufficient|not enough)|exceeded your current quota"
        r"|exhausted balance|billing (hard )?limit|payment (method )?required"
        r"|(budget (has been |is )?|over ?|exceeded ?)(exceeded|budget)"
        r"|(余额|额度)(不足|已|失败)|欠费|剩余额度|预扣费",
        NO_CREDIT,
    ),
    (
        r"(no permission|not (allowed|permitted|authori[sz]ed)|(no|not have) access)\b.*\bmodel"
        r"|model\b.*(no permission|not (allowed|permitted)|(no|not have) access)"
        r"|access denied to|must be verified to use|not permitted for your|not have permission",
        FORBIDDEN,
    ),
    (
        r"not authenticated|unauthenticated|unauthori[sz]ed|user is locked"
        r"|(invalid|incorrect|missing|expired) (\w+ )?(api.?key|access.?key|token|credential)",
        AUTH,
    ),
    (r"concurren(t|cy)|parallel task|at capacity|overloaded|并发", NO_ROOM),
    (
        r"too many (running jobs|requests)|rate.?limit|throttl|too (fast|frequent)|requests per"
        r"|频繁|过快|过多|限流",
        TOO_FAST,
    ),
    (
        r"model\b.{0,80} (does not|doesn't) exist|模型不存在|不支持的?模型",
        UNSUPPORTED,
    ),
    (
        r"(task|generation|prediction)(_origin)?([ _]id)?( \S+)?[_ ](was |is |does )?"
        r"not[_ ](exist|found)|任务不存在",
        NOT_FOUND,
    ),
)
