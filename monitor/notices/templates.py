"""The texts we ship, the same as in config/templates, and how a template becomes a text. A template sees words only."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from monitor.model import IncidentKind
from monitor.notices.facts import Facts, namings, title_of, utc
from monitor.notices.weight import LIMIT, weighted_length

_STATES = {
    IncidentKind.WITHDRAWAL_HALT: "halted",
    IncidentKind.WITHDRAWALS_DEGRADED: "degraded",
    IncidentKind.RAIL_SUSPENDED: "suspended",
}

_WHERE = {
    "chain": "on chain",
    "queue": "withdrawal queue",
    "api": "public API",
    "system_status": "system status",
    "status_page": "status page",
    "announcement": "announcement",
}
_NAMED_SOURCES = 2

SHIPPED: Mapping[str, str] = {
    "operator/investigating": """\
{% if kind == "withdrawals_degraded" %}
We are aware that {{ withdrawals }} on the platform are delayed or partly unavailable.
{% elif kind == "rail_suspended" %}
We are aware that {{ withdrawals }} on the platform are suspended.
{% else %}
We are aware of some technical difficulties affecting {{ withdrawals }} on the platform.
{% endif %}
Our team is already working on a fix.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "operator/identified": """\
{% if kind == "withdrawals_degraded" %}
We have identified what delays {{ withdrawals }} on the platform.
{% elif kind == "rail_suspended" %}
We have identified why {{ withdrawals }} on the platform are suspended.
{% else %}
We have identified the cause of the difficulties affecting {{ withdrawals }} on the platform.
{% endif %}
A fix is under way.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "operator/monitoring": """\
A fix is in place and {{ withdrawals }} on the platform are being processed again
{%- if recovered %} since {{ recovered }}{% endif %}.
{% if kind == "withdrawals_degraded" %}
We are watching closely that the delays do not return.
{% else %}
We are watching closely.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "operator/resolved": """\
{% if kind == "withdrawals_degraded" %}
The delays affecting {{ withdrawals }} on the platform are resolved.
{% elif kind == "rail_suspended" %}
The suspension of {{ withdrawals }} on the platform has ended.
{% else %}
The technical difficulties affecting {{ withdrawals }} on the platform are resolved.
{% endif %}
{% if recovered or resolved %}
They have been operating normally since {{ recovered or resolved }}.
{% endif %}
We apologise for the inconvenience and thank you for your patience.
""",
    "observer/investigating": """\
{% if since %}Since {{ since }}{% else %}Since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}{% if sources %} ({{ sources | join(", ") }}){% endif %}.
{% if official %}
{{ title }} said so at {{ official }}.
{% else %}
No statement from {{ title }} found yet.
{% endif %}
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "observer/identified": """\
{% if since %}Since {{ since }}{% else %}Since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}.
{% if official %}
The issue is identified; {{ title }} first spoke at {{ official }}.
{% else %}
The issue is identified; no statement from {{ title }} found yet.
{% endif %}
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "observer/monitoring": """\
{% if recovered %}Since {{ recovered }} we{% else %}We{% endif +%}
observe {{ withdrawals }} at {{ title }} being processed again
({{ state }} since {% if not since %}before {% endif %}{{ since or detected }}).
{% if official %}
{{ title }} first spoke at {{ official }}.
{% else %}
No statement from {{ title }} found yet.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
    "observer/resolved": """\
{% if recovered or resolved %}Since {{ recovered or resolved }} we{% else %}We{% endif +%}
observe {{ withdrawals }} at {{ title }} operating normally again
({{ state }} since {% if not since %}before {% endif %}{{ since or detected }}).
{% if official %}
{{ title }} first spoke at {{ official }}.
{% else %}
No statement from {{ title }} was found.
{% endif %}
""",
}


class WordingError(Exception):
    """A template that does not compile or does not render. Says why in a person's words."""


def speaks(kind: IncidentKind) -> bool:
    """Whether an incident of this kind has drafts at all."""
    return kind in _STATES


def render(template: str, facts: Facts) -> str:
    """The text of `template`, with the fullest naming of the scope that fits a post.

    Lines are joined by a space, an empty line starts a paragraph. Raises WordingError.
    """
    words = _words(facts)
    try:
        return _fitting(_compiled(template), words, namings(facts.scope))
    # What an expression of Jinja can raise by itself, e.g. on a division or a missing key.
    except (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise WordingError(str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise WordingError("needs too much") from error


def _fitting(template: Template, words: dict[str, str | bool | list[str]], namings: tuple[str, ...]) -> str:
    text = ""
    for withdrawals in namings:
        paragraphs = re.split(r"\n\s*\n", template.render({**words, "withdrawals": withdrawals}))
        lines = (" ".join(paragraph.split()) for paragraph in paragraphs)
        text = unicodedata.normalize("NFC", "\n\n".join(line for line in lines if line))
        if weighted_length(text) <= LIMIT:
            break
    return text


@lru_cache(maxsize=64)  # compiling takes longer than all the rest of a draft
def _compiled(template: str) -> Template:
    return _environment().from_string(template)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # plain text, never HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Neither chance nor addresses of objects may get into a text: the same facts give the same words.
    environment.globals.clear()
    del environment.filters["random"]
    return environment


def _words(facts: Facts) -> dict[str, str | bool | list[str]]:
    day = facts.detected_at.astimezone(UTC).date()

    def at(time: datetime | None) -> str:
        return "" if time is None else utc(time, day=day)

    return {
        "title": title_of(facts),
        "kind": facts.kind.value,
        "stage": facts.stage.value,
        "state": _STATES[facts.kind],
        "since": at(facts.since),
        "detected": at(facts.detected_at),
        "recovered": at(facts.recovered_at),
        "resolved": at(facts.resolved_at),
        "official": at(facts.official_at),
        "next_update": at(facts.next_update_at),
        "deposits_unaffected": facts.deposits_unaffected,
        "trading_unaffected": facts.trading_unaffected,
        "unaffected": facts.deposits_unaffected and facts.trading_unaffected,
        "sources": [_WHERE[source] for source in facts.sources if source in _WHERE][:_NAMED_SOURCES],
    }
