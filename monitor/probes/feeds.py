"""RSS 2.0 and Atom feeds. A document that declares entities or a type is refused, whatever it says."""

import html
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError  # types; defusedxml does the parsing

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from monitor.model import FailureReason, RemoteError
from monitor.probes.announcements import Post, Posts
from monitor.probes.answer import shortened
from monitor.probes.rows import MOST_FLAWS, Flaw
from monitor.probes.wording import LONGEST_TEXT

MOST_ITEMS = 1_000
"""Of a longer feed only the first are read: every feed we know begins with the newest."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_DUBLIN_CORE_DATE = "{http://purl.org/dc/elements/1.1/}date"
_TAG = re.compile(r"<[^<>]{0,2000}>")
_SPACE = re.compile(r"\s+")


def posts(body: bytes, *, base: str) -> Posts:
    """`body` as posts; `base` is the feed's address, which its links may be relative to, but for its query: a token.

    An entry without a readable date, or with nothing to know it by again, is a flaw. Raises `RemoteError` (schema).
    """
    root = _parsed(body)
    base = urlsplit(base)._replace(query="", fragment="").geturl()
    if root.tag == "rss":
        return _read_all(root.iterfind("channel/item"), _item, base=base)
    if root.tag == f"{_ATOM}feed":
        return _read_all(root.iterfind(f"{_ATOM}entry"), _entry, base=base)
    raise RemoteError(FailureReason.SCHEMA, shortened(f"neither RSS 2.0 nor Atom but <{root.tag}>"))


class _UnreadableError(Exception):
    """Why an entry is none."""


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise RemoteError(FailureReason.SCHEMA, "declares a document type or entities") from error
    except (ParseError, LookupError, ValueError) as error:
        raise RemoteError(FailureReason.SCHEMA, shortened(f"not XML: {error}")) from error
    return root


def _read_all(entries: Iterator[Element], read: Callable[[Element, str], Post], *, base: str) -> Posts:
    good: list[Post] = []
    flaws: list[Flaw] = []
    for n, entry in enumerate(entries):
        if n == MOST_ITEMS or len(flaws) == MOST_FLAWS:
            break
        try:
            good.append(read(entry, base))
        except _UnreadableError as error:
            flaws.append(Flaw(shortened(f"entry {n}: {error}")))
    if flaws and not good:
        raise RemoteError(FailureReason.SCHEMA, f"no entry can be read; {flaws[0].detail}")
    return Posts(good, flaws)


def _item(item: Element, base: str) -> Post:
    """An item of RSS 2.0; some give the date as Dublin Core has it."""
    title, told = _text(item.find("title")), _text(item.find("description"))
    address = _bare(item.findtext("link"))
    date = item.findtext("pubDate") or item.findtext(_DUBLIN_CORE_DATE)
    return _post(item.findtext("guid"), title, told, address=address, date=date, base=base)


def _entry(entry: Element, base: str) -> Post:
    title = _text(entry.find(f"{_ATOM}title"))
    told = _text(entry.find(f"{_ATOM}summary")) or _text(entry.find(f"{_ATOM}content"))
    links = [each for each in entry.iterfind(f"{_ATOM}link") if each.get("rel", "alternate") == "alternate"]
    address = _bare(links[0].get("href")) if links else ""
    date = entry.findtext(f"{_ATOM}published") or entry.findtext(f"{_ATOM}updated")
    return _post(entry.findtext(f"{_ATOM}id"), title, told, address=address, date=date, base=base)


def _post(name: str | None, title: str, told: str, *, address: str, date: str | None, base: str) -> Post:
    known_by = _bare(name) or address or title
    if not known_by:
        raise _UnreadableError("neither id, link nor title")
    text = " | ".join(part for part in (title, told if told != title else "") if part)
    if not text:
        raise _UnreadableError("no text")
    return Post(id=known_by[:500], text=text, url=_joined(base, address), published_at=_time(date))


def _joined(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address) if address else None
    except ValueError:
        return None


def _time(date: str | None) -> datetime:
    """A date as RFC 822 or ISO 8601 writes it; without a zone it is UTC."""
    text = _bare(date)
    if not text:
        raise _UnreadableError("no date")
    try:
        time = datetime.fromisoformat(text) if text[:4].isdigit() else parsedate_to_datetime(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError, TypeError) as error:
        raise _UnreadableError(f"no date: {text[:60]!r}") from error


def _text(element: Element | None) -> str:
    """All text in `element`, without the tags and entities of HTML that feeds escape in it."""
    if element is None:
        return ""
    written = "".join(element.itertext())[: 4 * LONGEST_TEXT]
    return _SPACE.sub(" ", html.unescape(_TAG.sub(" ", written))).strip()[:LONGEST_TEXT]


def _bare(text: str | None) -> str:
    return (text or "").strip()
