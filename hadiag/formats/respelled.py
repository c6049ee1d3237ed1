r"""Heads of lines that no daemon writes but people send: months of another language, and a lost blank before the day.

::

    нояб. 22 10:09:24 node1 corosync[2161]:   [TOTEM ] …      journalctl in the language of whoever exported it
    Mär 05 09:52:05 node1 pacemakerd[812]:  notice: …
     4月 21 13:59:39 node1 kernel: drbd r0: …
    [Do Nov 26 02:30:38 2026] drbd r0: …                      dmesg -T likewise
    Nov 2 10:09:24 node1 heartbeat: [3684]: info: …           copied out of a page or a mail, which joins blanks

Such a log is respelled as its bytes come in (``Nov 22 10:09:24``, ``Nov  2 10:09:24``), so that stamps, scan and parser
meet the one spelling that they know. Lines keep their numbers. The words are those of the C library's locales; of the
few that mean different months in different languages the more common language counts.
"""

from __future__ import annotations

import io
import re
from datetime import date
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_ENGLISH: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WORDS: Final = (
    "jan feb mar apr may jun jul aug sep oct nov dec",
    "jan feb mär apr mai jun jul aug sep okt nov dez",  # German
    "janv févr mars avril mai juin juil août sept oct nov déc",
    "ene feb mar abr may jun jul ago sep oct nov dic",  # Spanish
    "gen feb mar apr mag giu lug ago set ott nov dic",
    "jan fev mar abr mai jun jul ago set out nov dez",  # Portuguese
    "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "янв фев мар апр мая июн июл авг сен окт ноя дек",
    "янв февр мар апр май июнь июль авг сент окт нояб дек",
    "січ лют бер кві тра чер лип сер вер жов лис гру",  # noqa: RUF001 - Ukrainian
    "sty lut mar kwi maj cze lip sie wrz paź lis gru",  # Polish
    "led úno bře dub kvě čen čec srp zář říj lis pro",  # Czech
    "jan feb mars april maj juni juli aug sep okt nov des",  # Scandinavian
    "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
    "oca şub mar nis may haz tem ağu eyl eki kas ara",  # Turkish
    "jan febr márc ápr máj jún júl aug szept okt nov dec",  # Hungarian, Slovak
    "ian feb mar apr mai iun iul aug sep oct nov dec",
    "jan feb mar apr maj jun jul avg sep okt nov dec",
    "ιαν φεβ μαρ απρ μαΐ ιουν ιουλ αυγ σεπ οκτ νοε δεκ",  # noqa: RUF001 - Greek
    "яну фев мар апр май юни юли авг сеп окт ное дек",  # Bulgarian
    "јан феб мар апр мај јун јул авг сеп окт нов дец",
    "jaan veebr märts apr mai juuni juuli aug sept okt nov dets",
    "saus vas kov bal geg birž liep rugp rugs spal lapkr gruod",
    "jan feb mar apr mai jūn jūl aug sep okt nov dec",
    "jan feb mar apr mei jun jul agu sep okt nov des",  # Indonesian
    "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
    "1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월",
)
_MONTHS: Final = {word: number for words in _WORDS for number, word in enumerate(words.split(), 1)}
_HEAD: Final = re.compile(
    rb"^(?P<lead>(?:<\d{1,3}>)?\[?) ?(?:(?P<weekday>[^\s\d\[<:]{1,12}) {1,2})?"
    rb"(?P<month>[^\s\d\[<:]{2,16}|1?\d(?:\xe6\x9c\x88|\xec\x9b\x94)) {1,2}(?P<day>[ \d]?\d) (?P<clock>\d\d:\d\d:\d\d)"
    rb"(?P<year> (?:19|2[01])\d\d(?=\]))?(?=[ .,\]])",
    re.MULTILINE,
)
ONE_BLANK: Final = re.compile(
    rb"^(?:<\d{1,3}>)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d \d\d:\d\d:\d\d[ .]", re.MULTILINE
)
"""A line that lost the blank before its day."""
_CHUNK: Final = 1 << 16
_LONGEST: Final = 1 << 20
"""A line without an end so far passes as it is; its head has long been seen."""


def _word(raw: bytes) -> str:
    """A month as printed, in UTF-8 or, from old systems, in Latin-1; without its point and in small letters."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.rstrip(".,").lower()


def _respell(match: re.Match[bytes]) -> bytes:
    lead, day, clock = match["lead"], int(match["day"]), match["clock"]
    month = _MONTHS.get(_word(match["month"]))
    if month is None or not 1 <= day <= 31:
        return match[0]
    stamp = f"{_ENGLISH[month - 1]} {day:2} ".encode() + clock
    if not lead.endswith(b"["):
        return match[0] if match["weekday"] or match["year"] else lead + stamp
    if not (match["weekday"] and match["year"]):
        return match[0]
    try:
        weekday = _WEEKDAYS[date(int(match["year"]), month, day).weekday()]
    except ValueError:
        return match[0]
    return lead + f"{weekday} ".encode() + stamp + match["year"]


def respell(text: bytes) -> bytes:
    """The text with the heads of its lines in the spelling of the C locale; the same text where they are."""
    return _HEAD.sub(_respell, text)


class Respelled(io.RawIOBase):
    """A log as a stream of lines whose heads are respelled."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream
        self._line = b""  # the begin of a line that has not ended yet
        self._within = False  # whether a part of that line was passed on already
        self._ready = b""

    def readable(self) -> bool:
        """Always: it is a stream to read from."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` with the next bytes of text."""
        view = memoryview(buffer).cast("B")
        while not self._ready:
            data = self._stream.read(_CHUNK)
            if not data:
                self._ready, self._line = self._spelled(self._line), b""
                break
            self._take(data)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _take(self, data: bytes) -> None:
        """Respell the lines that are whole; keep the begin of the last one."""
        data = self._line + data
        end = data.rfind(b"\n") + 1
        if not end and len(data) > _LONGEST:
            self._ready, self._line, self._within = self._spelled(data), b"", True
            return
        self._line = data[end:]
        self._ready = self._spelled(data[:end])
        self._within &= not end

    def _spelled(self, text: bytes) -> bytes:
        if not self._within:
            return respell(text)
        first, line_end, rest = text.partition(b"\n")
        return first + line_end + respell(rest)
