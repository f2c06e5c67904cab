"""The words that facts have in the languages we ship: scopes, states, sources, times, and sentences that are optional.

A language we do not know has the English words: its template puts its own around them, and times and names are alike.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType

from msgspec import Struct

from monitor.model import IncidentKind, Role, Sentence

ENGLISH = "en"
CHINESE = "zh"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Language(Struct, frozen=True, kw_only=True):
    """How one language says what a template is given."""

    everything: str  # all withdrawals
    comma: str
    and_: str
    one: Callable[[str], str]  # withdrawals of one asset, named
    several: Callable[[str], str]
    count: Callable[[int], str]  # withdrawals of so many assets
    more: Callable[[str, int], str]  # names, and how many are not named
    networks: Callable[[str, int], str]  # an asset on so many networks
    on: Callable[[str, str], str]  # an asset on networks that are named
    day: Callable[[datetime, str], str]  # a clock time of another day
    nobody: str  # in place of a title nothing is left of
    states: Mapping[IncidentKind, str]
    sources: Mapping[str, str]
    sentences: Mapping[tuple[Role, Sentence], str]


def language_of(code: str) -> Language:
    return _LANGUAGES.get(code, _ENGLISH)


def is_known(code: str) -> bool:
    """Whether we ship texts in it, and its words can be checked."""
    return code in _LANGUAGES


def shown_at(at: datetime, *, day: date, language: str = ENGLISH) -> str:
    """ "14:02 UTC" on `day`, "3 Feb 2026, 14:02 UTC" on another."""
    at = at.astimezone(UTC)
    clock = f"{at:%H:%M} UTC"
    return clock if at.date() == day else language_of(language).day(at, clock)


def _s(count: int) -> str:
    return "" if count == 1 else "s"


_CHECK = "Check address and network before you withdraw: a confirmed transfer cannot be reversed."

_ENGLISH = Language(
    everything="all withdrawals",
    comma=", ",
    and_=" and ",
    one=lambda name: f"{name} withdrawals",
    several=lambda names: f"withdrawals of {names}",
    count=lambda count: f"withdrawals of {count} asset{_s(count)}",
    more=lambda names, more: f"{names} and {more} more asset{_s(more)}",
    networks=lambda asset, count: f"{asset} ({count} networks)",
    on=lambda asset, networks: f"{asset} ({networks})",
    day=lambda at, clock: f"{at.day} {MONTHS[at.month - 1]} {at.year}, {clock}",
    nobody="the exchange",
    states=MappingProxyType(
        {
            IncidentKind.WITHDRAWAL_HALT: "halted",
            IncidentKind.WITHDRAWALS_DEGRADED: "degraded",
            IncidentKind.RAIL_SUSPENDED: "suspended",
            IncidentKind.MAINTENANCE: "in maintenance",
        }
    ),
    sources=MappingProxyType(
        {
            "chain": "on chain",
            "queue": "withdrawal queue",
            "api": "public API",
            "system_status": "system status",
            "status_page": "status page",
            "announcement": "announcement",
        }
    ),
    sentences=MappingProxyType(
        {
            (Role.OPERATOR, Sentence.CHECK_ADDRESS): _CHECK,
            (Role.OBSERVER, Sentence.CHECK_ADDRESS): _CHECK,
            (Role.OBSERVER, Sentence.SELF_CUSTODY): "What you do not trade can be held in self-custody.",
        }
    ),
)

_CHECK_ZH = "提币前请核对地址和网络：已确认的转账无法撤销。"

_CHINESE = Language(
    everything="全部提币",
    comma="、",
    and_="和",
    one=lambda name: f"{name} 提币",
    several=lambda names: f"{names} 的提币",
    count=lambda count: f"{count} 种资产的提币",
    more=lambda names, more: f"{names}及另外 {more} 种资产",
    networks=lambda asset, count: f"{asset}（{count} 个网络）",
    on=lambda asset, networks: f"{asset}（{networks}）",
    day=lambda at, clock: f"{at.year}年{at.month}月{at.day}日 {clock}",
    nobody="该交易所",
    states=MappingProxyType(
        {
            IncidentKind.WITHDRAWAL_HALT: "已停止",
            IncidentKind.WITHDRAWALS_DEGRADED: "受阻",
            IncidentKind.RAIL_SUSPENDED: "已暂停",
            IncidentKind.MAINTENANCE: "处于维护中",
        }
    ),
    sources=MappingProxyType(
        {
            "chain": "链上数据",
            "queue": "提币队列",
            "api": "公开 API",
            "system_status": "系统状态",
            "status_page": "状态页",
            "announcement": "公告",
        }
    ),
    sentences=MappingProxyType(
        {
            (Role.OPERATOR, Sentence.CHECK_ADDRESS): _CHECK_ZH,
            (Role.OBSERVER, Sentence.CHECK_ADDRESS): _CHECK_ZH,
            (Role.OBSERVER, Sentence.SELF_CUSTODY): "不用于交易的资产可以自行托管。",
        }
    ),
)

_LANGUAGES: Mapping[str, Language] = MappingProxyType({ENGLISH: _ENGLISH, CHINESE: _CHINESE})
