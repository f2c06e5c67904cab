"""The name by which people call a maintenance window."""

import hashlib

from monitor.model.observation import MaintenanceWindow


def window_id(window: MaintenanceWindow) -> str:
    """The same for whatever is told again of it: who told it, when it begins and what it is about stay."""
    named = "\n".join((window.exchange, window.probe, window.starts_at.isoformat(), *window.scope))
    return f"m-{hashlib.sha256(named.encode()).hexdigest()[:10]}"
