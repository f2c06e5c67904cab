"""A badge: whether an exchange pays out, as a picture of a few hundred bytes."""

from xml.etree import ElementTree

from monitor.model import ExchangeState
from monitor.web.feed_formats import xml_bytes, xml_text

_SVG = "http://www.w3.org/2000/svg"
_FILLS = {
    ExchangeState.OPERATIONAL: "#1a7f37",
    ExchangeState.DEGRADED: "#9a6700",
    ExchangeState.HALTED: "#cf222e",
    ExchangeState.UNKNOWN: "#57606a",
}
_HEIGHT = 20
_CHARACTER = 6.6  # what a letter of 11 px takes at most on the average
_LONGEST = 40


def badge(title: str, state: ExchangeState) -> bytes:
    """ "Kraken withdrawals | operational" as SVG. Its words say all; the colour only repeats them."""
    left, right = f"{title[:_LONGEST]} withdrawals", state.value
    widths = _width(left), _width(right)
    root = ElementTree.Element("svg", xmlns=_SVG, width=f"{sum(widths)}", height=f"{_HEIGHT}", role="img")
    root.set("aria-label", xml_text(f"{left}: {right}"))
    _element(root, "title").text = xml_text(f"{left}: {right}")
    _element(root, "rect", width=f"{widths[0]}", height=f"{_HEIGHT}", fill="#24292f")
    _element(root, "rect", x=f"{widths[0]}", width=f"{widths[1]}", height=f"{_HEIGHT}", fill=_FILLS[state])
    _text(root, left, at=widths[0] / 2)
    _text(root, right, at=widths[0] + widths[1] / 2)
    return xml_bytes(root)


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER) + 12


def _text(root: ElementTree.Element, text: str, *, at: float) -> None:
    element = _element(root, "text", x=f"{at:g}", y="14", fill="#ffffff")
    element.set("text-anchor", "middle")
    element.set("font-family", "Verdana,DejaVu Sans,sans-serif")
    element.set("font-size", "11")
    element.text = xml_text(text)


def _element(root: ElementTree.Element, name: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.SubElement(root, name, attributes)
