"""Files that ship with the program and are no code: rules for Prometheus, what to do when they fire, dashboards."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "shipped"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent
"""An installed package carries them within; a checkout has them beside it."""

RULES = _ROOT / "dashboards" / "rules" / "cexwatch.rules.yml"
ALERTMANAGER = _ROOT / "dashboards" / "alertmanager.yml"
RUNBOOKS = _ROOT / "docs" / "runbooks"
DASHBOARDS = _ROOT / "dashboards"
