"""Words that a text may not have, and words that it must have, in the languages whose words we can check."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from monitor.notices.languages import CHINESE, ENGLISH

_FUNDS = r"(?:funds?|assets?|money|coins?|balances?|reserves?|holdings?|deposits?|everything)"
_FUNDS_ZH = r"(?:资金|资产|储备|余额|存款|资财|钱|(?<![提充])币)"


class Vocabulary(Struct, frozen=True, kw_only=True):
    cause: re.Pattern[str]
    promise: re.Pattern[str]
    age: re.Pattern[str]
    safe_funds: re.Pattern[str]  # the plain sentence, looked for with names in it
    safe: re.Pattern[str]
    well: re.Pattern[str]
    deposits: re.Pattern[str]
    trading: re.Pattern[str]
    others: re.Pattern[str]  # what nobody measures
    as_the_exchange: re.Pattern[str]
    we_observe: re.Pattern[str]
    withdrawals: re.Pattern[str]
    counted: re.Pattern[str]  # assets that are not named


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_ENGLISH = Vocabulary(
    cause=_of(
        r"\b(?:hack(?:s|ed|er|ers|ing)?|exploit\w*|attack\w*|breach\w*|compromised|stolen|theft|drained"
        r"|insolven\w*|bankrupt\w*|third[- ]party|due to|owing to|because of|caused by|as a result of)\b"
    ),
    promise=_of(
        r"\bwill (?:resume|reopen|return|restart|have|fix|restore|resolve|be(?! (?:posted|shared|given|published)))\b"
        r"|\b(?:soon|shortly|momentarily|eta|asap)\b"
        r"|\b(?:fixed|resolved|restored|back|resumed|reopened|available|completed) (?:by|within|before)\b"
        r"|\bwithin (?:the|an?|a few|\d+|minutes|hours|days)\b"
        r"|\bin (?:the next|an hour|a few|a couple|\d+ (?:min|hour|day))"
        r"|\bexpect(?:ed|s)?\b(?! (?:an?|another|the next) update)|\b(?:estimate[ds]?|anticipate[ds]?)\b"
        r"|\b(?:guarantee\w*|promise\w*)\b"
    ),
    age=_of(r"\bago\b|\bso far\b|\bfor the (?:last|past)\b|\b(?:earlier )?(?:today|tonight|yesterday|tomorrow)\b"),
    safe_funds=_of(rf"\b{_FUNDS}\s+(?:are|is|remain|remains|stay|stays|were)\s+(?:\w+%?\s+)?(?:safe|safu|secured?)\b"),
    safe=_of(
        rf"\bsafu\b|\b{_FUNDS}\b[^.!?]{{0,60}}\b(?:safe|secured?|protected|intact|not at risk|fully backed)\b"
        rf"|\b(?:safe|secured?|protected)\b[^.!?]{{0,30}}\b{_FUNDS}\b"
        r"|\bno\b[^.!?]{0,30}\bfunds?\b[^.!?]{0,30}\b(?:lost|stolen|missing|affected|at risk)\b"
        r"|\bfunds?\b[^.!?]{0,30}\b(?:unaffected|not affected)\b|\b(?:1:1|fully) (?:backed|reserved)\b"
    ),
    well=_of(
        r"\b(?:unaffected|unimpacted|not (?:be(?:en|ing)? )?(?:affected|impacted)|normal|normally|as usual|continues?"
        r"|continuing|remains? (?:open|available)|available|operational|working|fine)\b"
    ),
    deposits=_of(r"\bdeposit\w*"),
    trading=_of(r"\btrad(?:e|es|ing)\w*"),
    others=_of(r"\b(?:other|others|else|rest of)\b"),
    as_the_exchange=_of(
        r"\bour (?!address|page|post|reading|measure|observ|data|source|report|evidence|probe)\w+"
        r"|\bwe(?: are|'re) (?:aware|working|investigating|fixing|restoring|sorry)\b"
        r"|\bwe (?:apologi[sz]e|regret|paused?|suspend(?:ed)?|resumed?|halted|restored|fixed)\b"
        r"|\bwe(?: have|'ve) (?:identified|fixed|resolved|paused|suspended|halted|restored|resumed)\b|\bapologies\b"
    ),
    we_observe=_of(r"\bwe observe\b"),
    withdrawals=_of(r"\bwithdrawals?\b"),
    counted=_of(r"\b(?:more|of \d+) assets?\b"),
)

_CHINESE = Vocabulary(
    cause=_of(r"黑客|骇客|被盗|盗取|窃取|攻击|入侵|漏洞|资不抵债|破产|第三方|由于|因为|起因|归咎|导致|造成|挪用|泄露"),
    promise=_of(
        r"很快|马上|即将|尽快|尽早|不久|立即恢复|预计|预期|估计|保证|承诺|将(?:会|于|在)?\S{0,6}(?:恢复|修复|解决|重新开放|重开)"
        r"|(?:\d+|[几数半一二两三四五六七八九十]+)\s*(?:个)?(?:分钟|小时|天|工作日)(?:之)?内"
    ),
    age=_of(r"(?:秒|分钟|小时|天|周|月)(?:之)?前|刚刚|刚才|今天|今日|今晚|昨天|昨日|明天|明日|至今|到目前为止"),
    safe_funds=_of(rf"{_FUNDS_ZH}[^。!?]{{0,8}}(?:安全|无恙|无虞)"),
    safe=_of(
        rf"{_FUNDS_ZH}[^。!?]{{0,20}}(?:安全|无恙|无虞|有保障|受(?:到)?保护|完好|(?:没有|无|未受)\S{{0,4}}(?:损失|丢失|风险|影响))"
        rf"|安全[^。!?]{{0,8}}{_FUNDS_ZH}|(?:没有|无|未)[^。!?]{{0,8}}{_FUNDS_ZH}[^。!?]{{0,8}}(?:损失|丢失|被盗|风险|影响)"
        r"|1:1\s*(?:储备|准备|兑付)|足额(?:储备|准备)|全额(?:储备|准备)"
    ),
    well=_of(r"不受(?:到)?影响|未受(?:到)?影响|没有(?:受到)?影响|正常|照常|可用|继续"),
    deposits=_of(r"充值|充币|存款|入金"),
    trading=_of(r"交易(?!所|平台)"),
    others=_of(r"其他|其它|其余"),
    as_the_exchange=_of(
        r"我们的(?!地址|页面|帖子|读数|测量|观察|数据|来源|报告|证据)|我们已?(?:获悉|注意到|查明|修复|恢复|暂停|停止|解决)"
        r"|我们正在?(?:处理|修复|调查|解决)|我司|本(?:所|平台|交易所)|抱歉|致歉|道歉|歉意"
    ),
    we_observe=_of(r"我们观察到"),
    withdrawals=_of(r"提币|提现|提款"),
    counted=_of(r"\d+ ?种资产"),
)

VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType({ENGLISH: _ENGLISH, CHINESE: _CHINESE})
