"""`cexwatch rules export`: the rules with the reader's own links, and what belongs beside them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from monitor.shipped import ALERTMANAGER, RULES, RUNBOOKS


def linked(links: Mapping[str, str]) -> str:
    """The rules, with each address in `links` replaced by its own. Raises OSError."""
    text = RULES.read_text()
    for shipped, ours in links.items():
        text = text.replace(f"{shipped}/", f"{ours.rstrip('/')}/")
    return text


def write(rules: str, folder: Path) -> None:
    """What is there of the same name is replaced, but for `alertmanager.yml`: people keep their pager in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / RULES.name).write_text(rules)
    shutil.copytree(RUNBOOKS, folder / "runbooks", dirs_exist_ok=True)
    routes = folder / ALERTMANAGER.name
    if routes.exists():
        print(f"{routes} is there already and stays as it is")
    else:
        shutil.copyfile(ALERTMANAGER, routes)
    print(f"{folder}: {RULES.name}, {routes.name}, runbooks")
