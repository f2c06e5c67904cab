"""Numbers written as words, in English and in Chinese: "forty percent" is as much a figure as "40%"."""

import re
from collections.abc import Iterator

from msgspec import Struct

_UNITS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_WORDS = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_ONE = "|".join((*_WORDS, *_SCALES))
_ENGLISH = re.compile(rf"\b(?:{_ONE})(?:(?:[\s-]+(?:and[\s-]+)?)(?:{_ONE}))*\b", re.IGNORECASE)
# No number can be reckoned from these, so nothing proves them.
_VAGUE = re.compile(
    r"\b(?:dozens?|hundreds|thousands|millions|billions|half (?:of|the|an?)|(?:a|one|two) (?:third|quarter)s? of"
    r"|double|triple|per ?cent)\b",
    re.IGNORECASE,
)
_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
_NUMERAL = "零〇一二两三四五六七八九十百千万亿"
_COUNTED = "个|種|种|小时|小時|分钟|分鐘|秒|天|日|周|笔|筆|次|名|位|美元|枚|币|倍|成|用户|地址|网络|资产|人"
_CHINESE = re.compile(rf"百分之[{_NUMERAL}]+|(?P<counted>[{_NUMERAL}]+)多?余?(?=\s*(?:{_COUNTED}))")
_VAGUE_CHINESE = re.compile(r"半数|[数几上][十百千万亿]+|[数几](?:个|小时|分钟|天)")
_ARTICLES = frozenset({"one", "一"})  # "this one", "一个": no count is meant


class Numeral(Struct, frozen=True):
    text: str
    value: int | None  # None: it can be no measured number


def numerals(text: str) -> Iterator[Numeral]:
    """The numbers in words of `text`, in two rounds: those with a value, and those without."""
    for match in _ENGLISH.finditer(text):
        if match[0].lower() not in _ARTICLES:
            yield Numeral(match[0], _english(match[0].lower()))
    for match in _CHINESE.finditer(text):
        if match["counted"] is None:
            yield Numeral(match[0], None)
        elif match["counted"] not in _ARTICLES:
            yield Numeral(match[0], _chinese(match["counted"]))
    for pattern in (_VAGUE, _VAGUE_CHINESE):
        yield from (Numeral(match[0], None) for match in pattern.finditer(text))


def _english(text: str) -> int:
    total = group = 0
    for word in re.findall(r"[a-z]+", text):
        if word == "hundred":
            group = (group or 1) * _SCALES[word]
        elif word in _SCALES:
            total, group = total + (group or 1) * _SCALES[word], 0
        else:
            group += _WORDS.get(word, 0)
    return total + group


def _chinese(text: str) -> int:
    total = group = digit = 0
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
        elif char in _POWERS:
            group, digit = group + (digit or 1) * _POWERS[char], 0
        else:
            total, group, digit = total + (group + digit or 1) * _MYRIADS[char], 0, 0
    return total + group + digit
