"""Texts with their masks off: look-alike letters, marks, letters apart, figures for letters.

What a reader takes for "funds are safe" is that sentence, whatever it is made of.
"""

import re
import unicodedata

_CYRILLIC = "аАвВеЕёЁкКмМнНоОрРсСтТуУхХіІїЇјЈѕЅԁԛԝһӏЬьꓢӀ"
_AS_LATIN = "aAbBeEeEkKmMhHoOpPcCtTyYxXiIiIjJsSdqwhlbbSl"
_GREEK = "αΑΒεΕΖΗιΙκΚΜνΝοΟρΡτΤυΥΧχως"
_GREEK_AS_LATIN = "aABeEZHiIkKMvNoOpPtTuYXxws"
_FOLDED = str.maketrans(_CYRILLIC + _GREEK + "ıɑɡⅼ", _AS_LATIN + _GREEK_AS_LATIN + "iagl")
_ENCLOSED = ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))
_FIGURES = str.maketrans("013457@$", "oieastas")
_WORD_WITH_FIGURES = re.compile(r"(?<![\w@$])(?=[\w@$]*[^\W\d_])(?=[\w@$]*[0-9@$])[a-zA-Z0-9@$]{3,}(?![\w@$])")
_APART = re.compile(r"(?<!\w)(?:[^\W\d_][ .*_\-]{1,2}){2,}[^\W\d_](?!\w)")
_LETTERS = re.compile(r"[^\W\d_]+")
_LATIN, _LOOK_ALIKE = "LATIN", ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "LISU")
_SPELLED_LINK = re.compile(
    r"\bh(?:xx|\*\*)ps?\b|[\w-]+\s?[\[({]\s?(?:\.|dot|点)\s?[\])}]\s?\w{2,}"
    r"|\b[\w-]+\s+dot\s+(?:com|net|org|io|app|xyz|info|me|co|finance|exchange|support|live|site)\b"
    r"|[\w-]+\s?。\s?(?:com|net|org|io|app|xyz|info|me|co|cn)\b",
    re.IGNORECASE,
)


def flat(text: str) -> str:
    """One line, compatibility forms folded; full-width punctuation keeps its distance."""
    spaced = re.sub(r"([\uff0c\uff1a\uff1b\uff01\uff1f])", r"\1 ", text)
    return " ".join(unicodedata.normalize("NFKC", spaced).replace("\u2019", "'").split())


def unmasked(text: str) -> str:
    """`text` as a reader takes it."""
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) not in ("Mn", "Cf")
    )
    bare = "".join(_letter(char) for char in bare).translate(_FOLDED)
    whole = _APART.sub(lambda match: re.sub(r"[ .*_\-]", "", match[0]), bare)
    return _WORD_WITH_FIGURES.sub(lambda match: match[0].translate(_FIGURES), whole)


def mixed(text: str) -> tuple[str, ...]:
    """Words of letters that look alike and are of several scripts."""
    return tuple(dict.fromkeys(word for word in _LETTERS.findall(text) if _is_mixed(word)))


def spelled_link(text: str) -> str | None:
    """An address that is written so that nothing takes it for one."""
    found = _SPELLED_LINK.search(text)
    return found[0] if found else None


def _letter(char: str) -> str:
    for start, count in _ENCLOSED:
        if start <= ord(char) < start + count:
            return chr(ord("a") + ord(char) - start)
    return char


def _is_mixed(word: str) -> bool:
    if word.isascii():
        return False
    scripts = [unicodedata.name(char, "").partition(" ")[0] for char in word]
    return _LATIN in scripts and any(script in _LOOK_ALIKE for script in scripts)
