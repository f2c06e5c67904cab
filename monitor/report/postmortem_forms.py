"""A post-mortem written down: Markdown, one HTML file that needs nothing from elsewhere, or JSON with its schema."""

from datetime import datetime
from enum import StrEnum

import msgspec

from monitor.report.postmortem import Postmortem
from monitor.report.rendering import render
from monitor.web import phrases

ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|!~"})


class Form(StrEnum):
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


def written(told: Postmortem, form: Form) -> str:
    """As one of its forms; the HTML is one file that needs nothing from elsewhere."""
    match form:
        case Form.JSON:
            return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"
        case Form.HTML:
            title = f"Post-mortem: {told.exchange or 'this vantage'}, {phrases.worded(told.kind)}"
            return render("postmortem.html.j2", told=told, title=title, named=named(told), origins=[])
        case Form.MARKDOWN:
            return render("postmortem.md.j2", told=told, named=named(told), md=_escaped)


def schema() -> dict[str, object]:
    """JSON Schema (2020-12) of the JSON."""
    body = msgspec.json.schema(Postmortem)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "cexwatch post-mortem", **body}


def named(told: Postmortem) -> list[tuple[str, datetime | None, str]]:
    """The instants in the order in which they are told, with what it means that one is missing."""
    times = told.instants
    missing = "not known" if told.instants.resolved is not None else "not yet"
    return [
        ("First evidence", times.first_evidence, "before we looked"),
        ("Detected by us", times.detected, ""),
        ("First official word", times.official_word, "none was read"),
        ("Acknowledged", times.acknowledged, "by nobody"),
        ("First post of ours", times.first_post, "none"),
        ("Recovered", times.recovered, missing),
        ("Resolved", times.resolved, missing),
    ]


def _escaped(text: str) -> str:
    """What others wrote, in one line of Markdown that says it and does nothing else."""
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return line.translate(ESCAPED)
