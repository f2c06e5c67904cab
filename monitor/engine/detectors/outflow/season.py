"""When money leaves: the hour of the day times the day of the week, learned from five minutes at a time.

Each factor is observed over average, drawn towards 1 while it was seen little; both forget in eight weeks.
"""

from msgspec import Struct

HOUR = 3600.0
DAY = 86_400.0
HOUR_PRIOR = 20.0  # minutes: an hour of a day says little of that hour of all days, but more than nothing
DAY_PRIOR = 1440.0
MEMORY_DAYS = 56.0


class Season(Struct, array_like=True):
    minutes: float = 0.0  # learned from, all in all
    count: float = 0.0  # faded, as are the minutes with it
    spent: float = 0.0
    hour_count: list[float] = []
    hour_spent: list[float] = []
    day_count: list[float] = []
    day_spent: list[float] = []

    def rate(self) -> float:
        """What leaves in a usual minute."""
        return self.count / self.spent if self.spent > 0 else 0.0

    def factor(self, middle: float) -> float:
        """What is usual at a time over what is usual on average."""
        rate = self.rate()
        if rate <= 0:
            return 1.0
        hour, day = hour_of_day(middle), day_of_week(middle)
        hourly = (self.hour_count[hour] / rate + HOUR_PRIOR) / (self.hour_spent[hour] + HOUR_PRIOR)
        daily = (self.day_count[day] / rate + DAY_PRIOR) / (self.day_spent[day] + DAY_PRIOR)
        return max(0.05, hourly * daily)

    def mean_factor(self, at: float, hours: int) -> float:
        """Over the hours up to `at`."""
        return sum(self.factor(at - (n + 0.5) * HOUR) for n in range(hours)) / hours

    def learn(self, count: float, *, middle: float, minutes: float) -> None:
        if not self.hour_count:
            self.hour_count, self.hour_spent = [0.0] * 24, [0.0] * 24
            self.day_count, self.day_spent = [0.0] * 7, [0.0] * 7
        hour, day = hour_of_day(middle), day_of_week(middle)
        fade = max(0.0, 1 - minutes / (MEMORY_DAYS * 60))  # an hour comes once a day
        self.hour_count[hour] = self.hour_count[hour] * fade + count
        self.hour_spent[hour] = self.hour_spent[hour] * fade + minutes
        fade = max(0.0, 1 - minutes / (MEMORY_DAYS / 7 * 1440))
        self.day_count[day] = self.day_count[day] * fade + count
        self.day_spent[day] = self.day_spent[day] * fade + minutes
        fade = max(0.0, 1 - minutes / (MEMORY_DAYS * 1440))
        self.count = self.count * fade + count
        self.spent = self.spent * fade + minutes
        self.minutes += minutes


def hour_of_day(at: float) -> int:
    return int(at // HOUR) % 24


def day_of_week(at: float) -> int:
    """0 is Monday; the epoch was a Thursday."""
    return int(at // DAY + 3) % 7
