"""What changed between two texts, word by word: for whoever approved the one and is asked about the other."""

import re
from difflib import SequenceMatcher
from enum import StrEnum

from msgspec import Struct

# A word with the space after it; Chinese has no spaces, so each of its characters is a word.
_WORDS = re.compile(
    r"[\u3040-\u9fff\u3000-\u303f\uff00-\uffef]\s*|[^\s\u3040-\u9fff\u3000-\u303f\uff00-\uffef]+\s*|\s+"
)


class Part(StrEnum):
    KEPT = "kept"
    REMOVED = "removed"
    ADDED = "added"


class Piece(Struct, frozen=True):
    part: Part
    text: str


def difference(before: str, after: str) -> tuple[Piece, ...]:
    """The pieces of both texts in reading order. Kept and removed ones make `before`, kept and added ones `after`."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    pieces: list[Piece] = []
    for tag, start, end, new_start, new_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces.append(Piece(Part.KEPT, "".join(old[start:end])))
            continue
        pieces += [Piece(Part.REMOVED, "".join(old[start:end]))] if end > start else []
        pieces += [Piece(Part.ADDED, "".join(new[new_start:new_end]))] if new_end > new_start else []
    return tuple(pieces)
