"""The rhythm of a week that generated payments follow: busiest in the afternoon, less at the weekend. Assumed."""

import math
from datetime import datetime, timedelta

WEEK_HOURS = 168
DAILY_SWING = 0.4  # of the logarithm of the rate
BUSIEST_HOUR = 14
WEEKEND = -0.2


def weekly() -> list[float]:
    """The rate by hour of the week, from Monday 00:00 UTC; 1 on average."""
    swing = [DAILY_SWING * math.cos(2 * math.pi * (hour % 24 - BUSIEST_HOUR) / 24) for hour in range(WEEK_HOURS)]
    rate = [math.exp(swing[hour] + (WEEKEND if hour // 24 >= 5 else 0.0)) for hour in range(WEEK_HOURS)]
    mean = math.fsum(rate) / WEEK_HOURS
    return [each / mean for each in rate]


def minute_of_week(at: datetime) -> int:
    """Whole minutes since Monday 00:00 UTC."""
    monday = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=at.weekday())
    return (at - monday) // timedelta(minutes=1)
