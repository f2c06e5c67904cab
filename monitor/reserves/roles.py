"""Which wallets are hot and which are cold, told by what they send. A person's word in the address book wins.

Hot: 20 outgoing transactions in the last 24 hours, the newest less than six hours ago. Cold: at most two in a week.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from monitor.model import WalletUsage
from monitor.reserves.book import Address, WalletRole

HOT_A_DAY = 20
HOT_IDLE = timedelta(hours=6)
COLD_A_WEEK = 2
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


class Verdict(Struct, frozen=True):
    """The role of a wallet and why; None where it is neither, or not known yet."""

    role: WalletRole | None
    why: str


class DayUsed(Struct, frozen=True, kw_only=True):
    """What an address sent on a day (UTC) so far."""

    address: str
    day: datetime  # its first moment
    outgoing: int
    last_at: datetime


class Wallets:
    """The addresses of one exchange on one network, and what each of them sent in the last week."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self.addresses = tuple(address.address for address in addresses)
        self._said = {address.address: address.role for address in addresses if address.role is not None}
        self._hours: dict[str, dict[datetime, int]] = {}
        self._last_at: dict[str, datetime] = {}
        self._ever: dict[str, int] = {}
        self._watched_since: datetime | None = None
        self._untold: dict[tuple[str, datetime], None] = {}
        self._told_at: datetime | None = None

    def watched(self, at: datetime) -> None:
        """Somebody looked at this moment; the first one counts."""
        self._watched_since = at if self._watched_since is None else min(at, self._watched_since)

    def sent(self, address: str, count: int, *, at: datetime) -> None:
        """`count` transactions more of `address`, the newest not after `at`."""
        if count <= 0:
            return
        hour = _hour(at)
        hours = self._hours.setdefault(address, {})
        hours[hour] = hours.get(hour, 0) + count
        for old in [each for each in hours if each < at - WEEK - DAY]:
            del hours[old]
        self._last_at[address] = max(at, self._last_at.get(address, at))
        self._untold[address, _day(at)] = None

    def sent_ever(self, address: str, count: int) -> None:
        """All that `address` ever sent, where the chain tells it."""
        self._ever[address] = count

    def recall(self, days: Iterable[WalletUsage]) -> None:
        """What was known before a restart, of the addresses among `days` that are ours; of a day its last word."""
        ours = frozenset(self.addresses)
        newest = {(used.address, used.day): used for used in days if used.address in ours}
        for used in newest.values():
            self._hours.setdefault(used.address, {})[_hour(used.last_at)] = used.outgoing
            self._last_at[used.address] = max(used.last_at, self._last_at.get(used.address, used.last_at))
            self.watched(used.day)

    def told(self, now: datetime) -> list[DayUsed]:
        """Once an hour what has changed since the last time, a day each; otherwise nothing."""
        if self._told_at is None:
            self._told_at = now
        if _hour(now) == _hour(self._told_at):
            return []
        self._told_at = now
        untold, self._untold = list(self._untold), {}
        return [self._used(address, day) for address, day in untold]

    def hot(self, now: datetime) -> list[str]:
        return [address for address in self.addresses if self.role(address, now) == "hot"]

    def paying(self, now: datetime) -> list[str]:
        """The hot ones and those that were in the last week: what these still hold can be paid out as well.

        A wallet that rests for some hours takes no money away from an exchange.
        """
        return [address for address in self.addresses if self._pays(address, now)]

    def cold(self, now: datetime) -> list[str]:
        return [address for address in self.addresses if self.role(address, now) == "cold"]

    def role(self, address: str, now: datetime) -> WalletRole | None:
        """As `verdict`, without the words, which cost more than all the rest."""
        said = self._said.get(address)
        if said is not None:
            return said
        last = self._last_at.get(address)
        if last is not None and now - last < HOT_IDLE and self._sent_since(address, now - DAY) >= HOT_A_DAY:
            return "hot"
        if self._ever.get(address, COLD_A_WEEK + 1) <= COLD_A_WEEK:
            return "cold"
        is_known = self._watched_since is not None and now - self._watched_since >= WEEK
        return "cold" if is_known and self._sent_since(address, now - WEEK) <= COLD_A_WEEK else None

    def verdict(self, address: str, now: datetime) -> Verdict:
        role = self.role(address, now)
        return Verdict(role, self._why(address, role, now))

    def _why(self, address: str, role: WalletRole | None, now: datetime) -> str:
        if address in self._said:
            return "the address book says so"
        day, week = self._sent_since(address, now - DAY), self._sent_since(address, now - WEEK)
        if role == "hot":
            return f"{day} sent in 24 h, the last at {self._last_at[address]:%H:%M} UTC"
        ever = self._ever.get(address)
        if role == "cold":
            return f"{week} sent in 7 days" if ever is None or ever > COLD_A_WEEK else f"{ever} sent ever"
        since = self._watched_since
        if since is None:
            return f"{day} sent in 24 h, {week} in 7 days" if week else "not looked at yet"
        return f"{day} sent in 24 h, {week} in 7 days, watched since {since:%m-%d %H:%M} UTC"

    def _sent_since(self, address: str, when: datetime) -> int:
        return sum(count for hour, count in self._hours.get(address, {}).items() if hour > when)

    def proposals(self, now: datetime) -> list[str]:
        """Wallets that were hot and fell silent while another of this network began to send: to be labelled anew.

        The counts of all wallets together go on, so this is no sign of a halt.
        """
        retired = [address for address in self.addresses if self._has_retired(address, now)]
        began = [address for address in self.addresses if self._has_begun(address, now)]
        if not began:
            return []
        return [
            f"{address} sent its last at {self._last_at[address]:%Y-%m-%d %H:%M} UTC, while {began[0]} took over: "
            f"label the former retired and the latter hot"
            for address in retired
        ]

    def _pays(self, address: str, now: datetime) -> bool:
        role = self.role(address, now)
        if role is not None or address in self._said:
            return role == "hot"
        days: dict[datetime, int] = {}
        for hour, count in self._hours.get(address, {}).items():
            if hour > now - WEEK:
                days[_day(hour)] = days.get(_day(hour), 0) + count
        return max(days.values(), default=0) >= HOT_A_DAY

    def _has_retired(self, address: str, now: datetime) -> bool:
        last = self._last_at.get(address)
        if last is None or now - last < HOT_IDLE:
            return False
        before = sum(count for hour, count in self._hours[address].items() if hour > last - DAY)
        return before >= HOT_A_DAY or self._said.get(address) == "hot"

    def _has_begun(self, address: str, now: datetime) -> bool:
        hours = self._hours.get(address, {})
        if not hours or self._said.get(address) == "hot":
            return False
        return self.role(address, now) == "hot" and min(hours) > now - 2 * DAY

    def _used(self, address: str, day: datetime) -> DayUsed:
        hours = {hour: count for hour, count in self._hours[address].items() if _day(hour) == day}
        last = min(self._last_at[address], day + DAY - timedelta(seconds=1))
        return DayUsed(address=address, day=day, outgoing=sum(hours.values()), last_at=last)


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
