"""Colours and words that mean the same on every board."""

from tools.boards.board import Step, of

VERDICTS = (
    Step(0, "green", "operational"),
    Step(1, "purple", "unknown"),
    Step(2, "orange", "degraded"),
    Step(3, "red", "halted"),
)
RAILS = (
    Step(0, "green", "open"),
    Step(1, "purple", "unknown"),
    Step(2, "yellow", "delayed"),
    Step(3, "blue", "maintenance"),
    Step(4, "orange", "disputed"),
    Step(5, "red", "suspended"),
    Step(6, "dark-red", "unlisted"),
)
NO_YES = (Step(0, "green", "no"), Step(1, "red", "yes"))
SEVERITIES = (Step(0, "red", "critical"), Step(1, "orange", "warning"), Step(2, "blue", "info"))
LEAVES = (Step(0, "red", "stuck"), Step(1, "purple", "unknown"), Step(2, "green", "withdrawable"))
EVER = -1e12  # a step from here on is every number, so that the base colour is left to "none"
A_MINUTE = "suffix: /min"


def number_of_state(family: str, by: str, words: tuple[Step, ...], *matchers: str, networks: bool = False) -> str:
    """States are 0/1 series; this is the number in `words` of the one that is 1, the worst where daemons differ."""
    numbered = []
    for word in sorted(words, key=lambda each: each.value, reverse=True):
        selector = of(family, *matchers, f'state="{word.text}"', networks=networks)
        numbered.append(f"max by ({by}) ({selector} == 1) * {word.value:g}")
    return " or ".join(numbered)


def or_none(expr: str) -> str:
    """Zero where a daemon runs and the counter is not yet born, which happens with its first step."""
    return f"{expr} or 0 * max({of('build_info')})"


def with_us(expr: str) -> str:
    """What belongs to no exchange is of our own connection and prices, and says so where it would be nameless."""
    return f'label_replace({expr}, "exchange", "(ours)", "exchange", "")'
