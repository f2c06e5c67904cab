"""What the gate's `/metrics` answers. Nothing here ever gets to see an account."""

from datetime import datetime, timedelta

from monitor.exposition import GATE, Format, ProcessMetrics, Tally, assemble, wanted
from monitor.freeze.entry import Origin
from monitor.freeze.lock import Outcome

REFREEZE = timedelta(hours=24)


class Telemetry:
    def __init__(self, *, version: str) -> None:
        self._tally = Tally(GATE)
        self._process = ProcessMetrics()
        self._tally.put("freeze_gate_build_info", version, value=1)
        for origin in (Origin.APP, Origin.LINK, Origin.GUARDIAN):
            self._tally.count("freeze_gate_activations_total", origin.value, by=0)
        self._tally.count("freeze_gate_refusals_total", "not_written", by=0)
        for what in ("snapshot", "delta"):
            self._tally.count("freeze_gate_published_total", what, by=0)
        self._tally.count("freeze_gate_asked_total", by=0)
        self._tally.count("freeze_gate_refreezes_total", by=0)

    def activated(self, outcome: Outcome, origin: Origin, *, chosen: timedelta, seconds: float) -> None:
        """A freeze is on disk, `seconds` after it was asked for."""
        self._tally.count("freeze_gate_activations_total", origin.value)
        self._tally.observe("freeze_gate_activation_duration_seconds", value=seconds)
        self._tally.observe("freeze_gate_chosen_seconds", value=chosen.total_seconds())
        if outcome.former is None:
            return
        if outcome.former > outcome.at:
            moved = (outcome.until - outcome.former).total_seconds()
            self._tally.observe("freeze_gate_extension_seconds", value=moved)
        elif outcome.at - outcome.former < REFREEZE:
            self._tally.count("freeze_gate_refreezes_total")

    def hurried(self, seconds: float) -> None:
        """So long after opening the page somebody was frozen."""
        self._tally.observe("freeze_gate_time_to_freeze_seconds", value=seconds)

    def refused(self, reason: str) -> None:
        self._tally.count("freeze_gate_refusals_total", reason)

    def published(self, what: str) -> None:
        self._tally.count("freeze_gate_published_total", what)

    def asked(self, accounts: int) -> None:
        self._tally.count("freeze_gate_asked_total", by=accounts)

    def report_failed(self, reason: str) -> None:
        self._tally.count("freeze_gate_report_failures_total", reason)

    def put(self, name: str, *labels: str, value: float) -> None:
        """A gauge of the gate, by its name without `freeze_gate_`."""
        self._tally.put(f"freeze_gate_{name}", *labels, value=value)

    def at(self, name: str, when: datetime | None) -> None:
        """An instant; nothing is shown where there was none."""
        if when is not None:
            self.put(name, value=when.timestamp())

    def render(self, accept: str) -> tuple[bytes, str]:
        """The body and its content type."""
        form = wanted(accept)
        parts = assemble(GATE, [self._tally.block()], openmetrics=form is Format.OPENMETRICS)
        return b"".join([*parts, self._process.written(form)]), form.value
