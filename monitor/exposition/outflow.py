"""What a view says of outflow in samples: totals by asset and network, and the score of each window."""

from collections.abc import Iterator
from datetime import timedelta

from monitor.exposition.text import Group, Sample
from monitor.model import ExchangeView
from monitor.model.view import StatisticView

LIFETIME = timedelta(hours=2)  # a chain may pause for long, and daily flows are of another exchange


def outflow_groups(view: ExchangeView) -> Iterator[Group]:
    """Sums never go stale: they are of what was seen. A score does with the newest flow."""
    for flow in view.flows:
        labels = (view.exchange, flow.asset, flow.network)
        came = Sample("inflow_total", labels, flow.inflow_total)
        left = Sample("outflow_total", labels, flow.outflow_total)
        yield Group((came, left), is_detail=True)
    newest = max((flow.read_at for flow in view.flows), default=view.at)
    for window, nearest in _nearest(view).items():
        of = (view.exchange, window)
        score = Sample("outflow_score", of, nearest.value or 0.0)
        threshold = Sample("outflow_threshold", of, nearest.threshold or 0.0)
        yield Group((score, threshold), until=newest + LIFETIME)


def _nearest(view: ExchangeView) -> dict[str, StatisticView]:
    """Window -> the statistic that is nearest to its threshold."""
    nearest: dict[str, StatisticView] = {}
    for each in view.statistics:
        if each.detector != "outflow" or each.value is None or not each.threshold:
            continue
        window = each.subject.rpartition(" ")[2]
        other = nearest.get(window)
        if other is None or _share(each) > _share(other):
            nearest[window] = each
    return nearest


def _share(statistic: StatisticView) -> float:
    return (statistic.value or 0.0) / (statistic.threshold or 1.0)
