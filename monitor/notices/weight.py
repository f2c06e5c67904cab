"""How X counts a text: 280 weighted characters, by the published rules of twitter-text (configuration v3)."""

import re
import unicodedata
from decimal import Decimal

LIMIT = 280
LINK_WEIGHT = 23
# What X asks for a post, by its price list of 2026; one with a link costs more.
POST_USD = Decimal("0.015")
LINK_POST_USD = Decimal("0.200")

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

# A picture may wear a variation selector, a skin tone or tags; joined pictures, flags and keycaps are one.
_PICTURE = (
    r"(?:[\u00a9\u00ae]\ufe0f|[\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    r"\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])"
    r"\ufe0f?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
)
EMOJI = re.compile(
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|[0-9#*]\ufe0f?\u20e3|{_PICTURE}(?:\u200d{_PICTURE})*",
)

# Any two letters stand for a country: a missed space ("fix.We") may count as a link, a link is never missed.
_TOP_LEVEL = (
    r"com|net|org|info|biz|app|dev|xyz|pro|top|vip|club|site|live|news|blog|page|link|wiki|team|zone|network|online"
    r"|cloud|tech|digital|global|world|group|center|support|status|exchange|finance|financial|trade|trading|markets"
    r"|market|money|cash|fund|bank|capital|ventures|crypto|wallet|tokyo|london|asia|one|[a-z]{2}"
)
LINK = re.compile(
    r"(?<![\w@$#./\-])(?:https?://[^\s/?#]+|(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+"
    rf"(?:{_TOP_LEVEL})(?![\w-])(?::\d+)?)"
    r"(?:[/?#]\S*(?<![.,;:!?'\")\]]))?",
    re.IGNORECASE,
)
_COUNTED_WHOLE = re.compile(rf"(?P<link>{LINK.pattern})|{EMOJI.pattern}", re.IGNORECASE)


def weighted_length(text: str) -> int:
    """Weighted characters of the NFC form: links 23, an emoji sequence 2, the listed ranges 1, everything else 2."""
    text = unicodedata.normalize("NFC", text)
    weight = end = 0
    for found in _COUNTED_WHOLE.finditer(text):
        weight += _weight_of(text[end : found.start()]) + (LINK_WEIGHT if found["link"] else 2)
        end = found.end()
    return weight + _weight_of(text[end:])


def price_usd(text: str) -> Decimal:
    """What a post of this text costs at X."""
    return LINK_POST_USD if LINK.search(text) else POST_USD


def _weight_of(text: str) -> int:
    return sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in text)
