"""What can be wrong with a configuration and the files beside it, found without starting anything."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from monitor.channels.webhook import BodyError
from monitor.cli.configured import configured
from monitor.cli.judged import book_of, templates_of
from monitor.cli.outcome import Code, fail, tell
from monitor.config import Config
from monitor.config.yaml_file import suggestion
from monitor.exchange_probes import x_cost_of
from monitor.model import IncidentKind, Role, Stage
from monitor.notices.draft import Facts, speaks
from monitor.notices.lint import lint
from monitor.notices.templates import SHIPPED, WordingError, render
from monitor.voices import check as check_channels

NOW = datetime(2026, 2, 3, 2, 21, tzinfo=UTC)
BARE = Facts(
    exchange="examplex",
    title="Examplex",
    kind=IncidentKind.WITHDRAWAL_HALT,
    stage=Stage.INVESTIGATING,
    scope=("*",),
    since=None,
    detected_at=NOW,
)
FULL = replace(
    BARE,
    scope=("ETH@ethereum", "USDT@tron"),
    since=NOW - timedelta(minutes=2),
    official_at=NOW + timedelta(minutes=15),
    next_update_at=NOW + timedelta(minutes=30),
    trading_unaffected=True,
    deposits_unaffected=True,
    sources=("chain", "api"),
)
"""An incident of which nothing is known, and one of which everything is."""


def check(path: Path) -> str:
    """What the configuration leads to, in a line. Ends the command with every problem."""
    loaded = configured(path)
    config = loaded.config
    for warning in loaded.warnings:
        tell(f"warning: {warning}")
    book = book_of(config)
    channels = config.channels.configured()
    problems = list(template_problems(templates_of(config), folder=config.drafts.templates, channels=channels))
    problems += body_problems(config)
    if problems:
        fail("\n".join(problems), code=Code.USAGE)
    cost = x_cost_of(config)
    if cost is not None:
        tell(f"reading X costs {cost}")
    rails = sum(len(config.rails(exchange)) for exchange in config.exchanges)
    counts = {"exchanges": len(config.exchanges), "watched rails": rails, "chains": len(config.chains)}
    counts["known addresses"] = len(book.counted())
    return f"ok: {', '.join(f'{number:,} {what}' for what, number in counts.items())}"


def body_problems(config: Config) -> Iterator[str]:
    """What would keep a webhook from having a body."""
    try:
        check_channels(config)
    except BodyError as error:
        yield f"channels.webhook.body: {error}"


def template_problems(templates: Mapping[str, str], *, folder: Path | None, channels: Sequence[str]) -> Iterator[str]:
    """What would keep a text of ours in place of a person's: each with its file."""
    for name, template in templates.items():
        if name in SHIPPED:
            problems = dict.fromkeys(_wrong(name, template, channels=channels))
        else:
            problems = {f"no draft uses it{suggestion(name, SHIPPED)}": None}
        for problem in problems:
            yield f"{folder}/{name}.j2: {problem}"


def _wrong(name: str, template: str, *, channels: Sequence[str]) -> Iterator[str]:
    role, stage = name.split("/")
    for facts in _cases(Stage(stage)):
        try:
            text = render(template, facts)
        except WordingError as error:
            yield str(error)
            continue
        for channel in channels:
            problems = lint(text, role=Role(role), stage=facts.stage, channel=channel, facts=facts)
            yield from (f"{problem.rule}: {problem.message}" for problem in problems if problem.level == "error")


def _cases(stage: Stage) -> Iterator[Facts]:
    for kind in IncidentKind:
        if speaks(kind):
            yield _at(stage, replace(BARE, kind=kind))
            yield _at(stage, replace(FULL, kind=kind))


def _at(stage: Stage, facts: Facts) -> Facts:
    """What is known of the same incident at a later stage."""
    recovered, resolved = NOW + timedelta(minutes=20), NOW + timedelta(minutes=40)
    match stage:
        case Stage.INVESTIGATING | Stage.IDENTIFIED:
            return replace(facts, stage=stage)
        case Stage.MONITORING:
            return replace(facts, stage=stage, recovered_at=recovered)
        case Stage.RESOLVED:
            return replace(facts, stage=stage, recovered_at=recovered, resolved_at=resolved, next_update_at=None)
