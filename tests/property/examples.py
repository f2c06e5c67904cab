"""How many examples a property is tried with: few in `make test`, CEXWATCH_EXAMPLES times as many in `make soak`."""

import os


def examples(few: int) -> int:
    return few * int(os.environ.get("CEXWATCH_EXAMPLES", "1"))
