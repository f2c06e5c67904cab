"""How each probe fares: when it last saw something, and since when it sees nothing and why."""

from collections.abc import Mapping

from msgspec import Struct

from monitor.engine.finding import moment
from monitor.model import ProbeFailure, ProbeView


class Sight(Struct):
    """How a probe has fared."""

    good_at: float | None = None
    failing_since: float | None = None
    reason: str = ""
    detail: str = ""

    def good(self, at: float) -> None:
        self.good_at, self.failing_since = max(at, self.good_at or at), None

    def fail(self, failure: ProbeFailure) -> None:
        if self.failing_since is None:
            self.failing_since = failure.at.timestamp()
        self.reason, self.detail = failure.reason, failure.detail


def is_written_down(probe: str) -> bool:
    """What it tells stands in a person's own files: that proves nothing of whether we can see."""
    return probe.endswith(("-exposure", "-published"))


def probe_views(sights: Mapping[str, Sight], flaws: Mapping[str, list[str]] | None = None) -> tuple[ProbeView, ...]:
    """By name. `flaws`: probe -> rows of its list that cannot be read."""
    unread = flaws or {}
    return tuple(_view(probe, sight, unread.get(probe, [])) for probe, sight in sorted(sights.items()))


def _view(probe: str, sight: Sight, unread: list[str]) -> ProbeView:
    is_failing = sight.failing_since is not None
    return ProbeView(
        probe=probe,
        last_success_at=moment(sight.good_at) if sight.good_at is not None else None,
        failing_since=moment(sight.failing_since) if sight.failing_since is not None else None,
        reason=sight.reason if is_failing else "",
        detail=sight.detail if is_failing else "",
        unread=len(unread),
        unread_detail=unread[0] if unread else "",
    )
