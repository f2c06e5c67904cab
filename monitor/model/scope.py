"""What a scope covers. Its items are `ASSET@network`, `ASSET@*`, `*@network`, or `*` for everything."""

import re
from collections.abc import Collection

EVERYTHING = "*"
ITEM = re.compile(r"\*|[^\s@*,]{1,32}@[a-z0-9][a-z0-9_-]{0,31}|[^\s@*,]{1,32}@\*|\*@[a-z0-9][a-z0-9_-]{0,31}")


def covers(scope: Collection[str], item: str) -> bool:
    """Whether all that `item` names is in the scope."""
    asset, _, network = item.partition("@")
    wider = {EVERYTHING, item} if not network else {EVERYTHING, item, f"*@{network}", f"{asset}@*"}
    return not wider.isdisjoint(scope)
