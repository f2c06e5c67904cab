"""Templates of reports, filled in. Nothing in a page is from elsewhere, and no picture is drawn here."""

from functools import cache
from pathlib import Path

import jinja2

from monitor import __version__
from monitor.report import wording
from monitor.web import cases, phrases, spans

HERE = Path(__file__).parent


def render(template: str, **context: object) -> str:
    """HTML of a template `*.html.j2`, text of any other."""
    shown = {"phrases": phrases, "cases": cases, "spans": spans, "w": wording, "version": __version__}
    return _environment().get_template(template).render(**shown, **context)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html.j2"], default_for_string=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
