"""What goes to the process that runs apprise, and what comes back. Neither side of it imports the other."""

from msgspec import Struct


class Order(Struct, frozen=True, kw_only=True):
    """Without a text nothing is sent: it is only asked whether apprise can read the URLs."""

    urls: tuple[str, ...]
    title: str
    text: str
    tone: str  # a word of apprise: "info", "success", "warning" or "failure"


class Fate(Struct, frozen=True, kw_only=True):
    """Of one URL. `reason` is apprise's last warning: of itself it says only yes or no."""

    ok: bool
    is_known: bool = True  # apprise can read the URL
    reason: str = ""
