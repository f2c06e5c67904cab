"""Statistics of detectors as a face gets them, one in each state."""

from monitor.model.view import StatisticState, StatisticView

QUIET = StatisticView(
    detector="flags",
    subject="*",
    state=StatisticState.QUIET,
    value=0.02,
    threshold=0.5,
    observed=0.02,
    unit="of the watched weight",
    words="2% of the watched weight is off; fires from 50% newly off within 10 min",
)
FIRING = StatisticView(
    detector="silence",
    subject="*",
    state=StatisticState.FIRING,
    value=14.93,
    threshold=14.7,
    observed=5.0,
    expected=48.6,
    unit="transactions a minute",
    words="paid 5 a minute where 49 are usual",
)
SUSPICIOUS = StatisticView(
    detector="outflow",
    subject="BTC@bitcoin 24 h",
    state=StatisticState.SUSPICIOUS,
    value=3.1,
    threshold=6.0,
    observed=12_345.6,
    expected=4_000.0,
    unit="BTC in 24 h",
    words="<b>three times</b> what usually leaves in a day",
)
LEARNING = StatisticView(
    detector="silence",
    subject="solana",
    state=StatisticState.LEARNING,
    words="learning, 25 min of 6 h: nothing fires before that",
)
UNKNOWN = StatisticView(
    detector="campaign", subject="*", state=StatisticState.UNKNOWN, words="no source of mentions is configured"
)
ALL = (QUIET, LEARNING, UNKNOWN, SUSPICIOUS, FIRING)
