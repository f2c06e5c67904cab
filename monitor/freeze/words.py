"""What the pages say, in English and Chinese. Plain words, no blame, nothing that an onlooker learns much from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from msgspec import Struct

DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}


class Words(Struct, frozen=True, kw_only=True):
    lang: str
    title: str
    stops: str
    no_way_back: str
    pending: str
    goes_on: str
    guardian: str
    how_long: str
    go_on: str
    hold: str
    hold_on: str
    sure: str
    freeze_until: str
    back: str
    until: str
    only_later: str
    longer: str
    missing: str
    too_often: str
    not_frozen: str
    try_again: str
    bad_duration: str
    too_slow: str


ENGLISH = Words(
    lang="en",
    title="Account",
    stops="All withdrawals of this account stop.",
    no_way_back="Nobody can end this early: not you, not support, not an administrator.",
    pending="Withdrawals that wait now are cancelled, and stay so.",
    goes_on="Deposits, trading and balances go on.",
    guardian="The owner of an account made this link for you, to freeze its withdrawals when they cannot.",
    how_long="For how long?",
    go_on="Continue",
    hold="Hold for 3 seconds to freeze",
    hold_on="Keep holding",
    sure="This cannot be undone.",
    freeze_until="Freeze until {end}",
    back="Back",
    until="Until",
    only_later="Choosing again can only make it later.",
    longer="Make it later",
    missing="There is nothing here.",
    too_often="Too many tries. Try again in {seconds} seconds.",
    not_frozen="NOT frozen.",
    try_again="It could not be written down. Try again now; if this stays, call the exchange's support.",
    bad_duration="Choose one of the durations that are shown.",
    too_slow="The connection was too slow. Try again now.",
)
CHINESE = Words(
    lang="zh",
    title="账户",
    stops="此账户的所有提现将停止。",
    no_way_back="任何人都无法提前解除：您本人、客服和管理员都不能。",
    pending="正在等待的提现将被取消，且不会恢复。",
    goes_on="充值、交易和余额不受影响。",
    guardian="账户所有者为您创建了此链接，以便在其本人无法操作时冻结提现。",
    how_long="冻结多久？",
    go_on="继续",
    hold="按住 3 秒以冻结",
    hold_on="请继续按住",
    sure="此操作无法撤销。",
    freeze_until="冻结至 {end}",
    back="返回",
    until="截止",
    only_later="再次选择只能延后截止时间。",
    longer="延后",
    missing="此处没有内容。",
    too_often="尝试次数过多，请在 {seconds} 秒后重试。",
    not_frozen="尚未冻结。",
    try_again="未能写入记录。请立即重试；若仍失败，请联系交易所客服。",
    bad_duration="请选择所列的时长之一。",
    too_slow="连接太慢。请立即重试。",
)
LANGUAGES: Mapping[str, Words] = MappingProxyType({"en": ENGLISH, "zh": CHINESE})


def chosen(asked: str, accepted: str) -> Words:
    """By `?lang=`, else by the first language of Accept-Language that there is, else English."""
    wanted = [asked, *(part.partition(";")[0] for part in accepted.split(","))]
    known = (LANGUAGES.get(each.strip().lower()[:2]) for each in wanted)
    return next((words for words in known if words is not None), ENGLISH)


def instant(at: datetime, words: Words) -> str:
    """`Friday 27 November 2026, 10:00 UTC`: absolute, as the page may be looked at much later."""
    day = DAYS[words.lang][at.weekday()]
    if words.lang == "zh":
        return f"{at:%Y}年{at.month}月{at.day}日（{day}）{at:%H:%M} UTC"
    return f"{day} {at.day} {at:%B %Y, %H:%M} UTC"


def length(duration: timedelta, words: Words) -> str:
    hours = int(duration.total_seconds()) // 3600
    if words.lang == "zh":
        return f"{hours} 小时" if hours < 72 else f"{hours // 24} 天"
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
