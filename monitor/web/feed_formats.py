"""Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1 of public updates: the same bytes for the same updates. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree

import msgspec
from msgspec import Struct

from monitor.web.updates import Update, heading

ATOM = "http://www.w3.org/2005/Atom"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Feed(Struct, frozen=True, kw_only=True):
    """`page` is the address of our pages, without a slash at its end."""

    title: str
    page: str
    updates: Sequence[Update]
    titles: Mapping[str, str]  # exchange -> its name as people write it


class _Item(Struct, frozen=True):
    id: str
    url: str
    title: str
    content_text: str
    date_published: str
    tags: list[str]


class _JsonFeed(Struct, frozen=True, kw_only=True):
    version: str = "https://jsonfeed.org/version/1.1"
    title: str
    home_page_url: str
    feed_url: str
    items: list[_Item]


def atom(feed: Feed) -> bytes:
    root = ElementTree.Element("feed", xmlns=ATOM)
    newest = feed.updates[0].at if feed.updates else _NEVER
    _add(root, "title", feed.title)
    _add(root, "id", f"{feed.page}/feed.atom")
    _add(root, "updated", _rfc3339(newest))
    ElementTree.SubElement(root, "link", rel="self", href=f"{feed.page}/feed.atom", type="application/atom+xml")
    ElementTree.SubElement(root, "link", rel="alternate", href=f"{feed.page}/", type="text/html")
    _add(ElementTree.SubElement(root, "author"), "name", feed.title)
    for update in feed.updates:
        entry = ElementTree.SubElement(root, "entry")
        _add(entry, "id", update.id)
        _add(entry, "title", _title(update, feed))
        _add(entry, "updated", _rfc3339(update.at))
        _add(entry, "published", _rfc3339(update.at))
        ElementTree.SubElement(entry, "link", rel="alternate", href=_url(update, feed), type="text/html")
        ElementTree.SubElement(entry, "category", term=update.stage.value)
        _add(entry, "content", update.text).set("type", "text")
    return xml_bytes(root)


def rss(feed: Feed) -> bytes:
    root = ElementTree.Element("rss", {"version": "2.0", "xmlns:atom": ATOM})
    channel = ElementTree.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", f"{feed.page}/")
    _add(channel, "description", f"Incidents, as told by {feed.title}.")
    _add(channel, "ttl", "1")
    ElementTree.SubElement(channel, "atom:link", rel="self", href=f"{feed.page}/feed.rss", type="application/rss+xml")
    if feed.updates:
        _add(channel, "lastBuildDate", format_datetime(feed.updates[0].at.astimezone(UTC), usegmt=True))
    for update in feed.updates:
        item = ElementTree.SubElement(channel, "item")
        _add(item, "title", _title(update, feed))
        _add(item, "link", _url(update, feed))
        _add(item, "description", update.text)
        _add(item, "category", update.stage.value)
        _add(item, "guid", update.id).set("isPermaLink", "false")
        _add(item, "pubDate", format_datetime(update.at.astimezone(UTC), usegmt=True))
    return xml_bytes(root)


def json_feed(feed: Feed) -> bytes:
    items = [
        _Item(update.id, _url(update, feed), _title(update, feed), update.text, _rfc3339(update.at), [update.stage])
        for update in feed.updates
    ]
    page = feed.page
    told = _JsonFeed(title=feed.title, home_page_url=f"{page}/", feed_url=f"{page}/feed.json", items=items)
    return msgspec.json.encode(told)


def xml_bytes(root: ElementTree.Element) -> bytes:
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode").encode()


def xml_text(text: str) -> str:
    """`text` without the characters that XML cannot carry at all."""
    return _NOT_XML.sub("\ufffd", text)


def _title(update: Update, feed: Feed) -> str:
    return f"{heading(update.exchange, update.kind, feed.titles)} ({update.stage})"


def _url(update: Update, feed: Feed) -> str:
    return f"{feed.page}/incidents/{update.incident}"


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _add(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, name)
    element.text = xml_text(text)
    return element
