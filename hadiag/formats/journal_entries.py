r"""Readers of journalctl's structured outputs: json in all its dresses, export and verbose.

JSON: a value is a string, null (too large to print), an array of numbers (bytes that are no UTF-8), or an array of
values (a field that occurs several times; the last one counts).  ``json-pretty`` spreads an object over lines,
``json-seq`` puts a record separator before it, ``json-sse`` a ``data: ``.

Export: ``FIELD=value`` lines and an empty line behind each entry; a field with control characters is ``FIELD``, a
newline, its length in 64 bits little-endian, the bytes and a newline.

All readers keep memory bounded: an entry over ``MAX_ENTRY`` bytes is None, and so is one that does not parse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from hadiag.formats.dates import full
from hadiag.formats.journal import FIELDS, Entry

MAX_ENTRY: Final = 4 << 20
"""Bytes of an entry; a longer one is not read."""
MAX_LINES: Final = 20_000
"""Lines of a pretty-printed entry: arrays of bytes have one line for each."""
MAX_FIELD: Final = 64 << 10
"""Bytes of a field that are kept."""

_PIECE: Final = 1 << 16


def from_json(stream: BinaryIO) -> Iterator[Entry | None]:
    """Entries of ``-o json``, ``json-pretty``, ``json-seq`` and ``json-sse``."""
    pretty: list[bytes] = []
    size = 0
    for line in _lines(stream):
        text = line.strip(b"\x1e\r\n\t ").removeprefix(b"data:").strip()
        starts = line.lstrip(b"\x1e").startswith((b"{", b"data:")) and text.startswith(b"{")
        if starts and pretty:
            yield None  # the object before it never ended
            pretty = []
        if starts and (text.endswith(b"}") or len(line) >= MAX_ENTRY):
            yield _object(text)
        elif starts or pretty:
            size = len(text) + (size if pretty else 0)
            pretty.append(text)
            if text in (b"}", b"},", b"}]") or len(pretty) > MAX_LINES or size > MAX_ENTRY:
                yield _object(b"\n".join(pretty).rstrip(b",]"))
                pretty = []
        elif text not in (b"", b"[", b"]"):
            yield None
    if pretty:
        yield None


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines of at most ``MAX_ENTRY`` bytes; the rest of a longer one is dropped."""
    while line := stream.readline(MAX_ENTRY):
        if not line.endswith(b"\n") and len(line) >= MAX_ENTRY:
            while (rest := stream.readline(_PIECE)) and not rest.endswith(b"\n"):
                pass
        yield line


def _object(text: bytes) -> Entry | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return {name: value for name in FIELDS if (value := _value(fields.get(name))) is not None}


def _value(value: object) -> bytes | None:
    """Bytes of a JSON value of a field."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode() if abs(value) < 1 << 63 else None
    if isinstance(value, list) and value:
        if all(isinstance(item, int) and 0 <= item < 256 for item in value):
            return bytes(value)
        return _value(value[-1]) if not isinstance(value[-1], list) else None
    return None


def from_export(stream: BinaryIO) -> Iterator[Entry | None]:
    """Entries of ``-o export``."""
    fields: dict[str, bytes] = {}
    size = 0
    broken = False
    while line := stream.readline(MAX_ENTRY):
        if line in (b"\n", b"\r\n"):
            if fields or broken:
                yield None if broken else fields
            fields, size, broken = {}, 0, False
            continue
        name, equals, value = line.rstrip(b"\n").partition(b"=")
        if not equals:
            read = _binary(stream)
            broken |= read is None
            value = read or b""
        size += len(line)
        broken |= size > MAX_ENTRY
        key = name.decode("ascii", "replace")
        if key in FIELDS:
            fields[key] = value[:MAX_FIELD]
    if fields:
        yield fields


def _binary(stream: BinaryIO) -> bytes | None:
    """The value of a binary-safe field behind its name; at most ``MAX_FIELD`` bytes of it are kept."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    left = int.from_bytes(head, "little")
    value = stream.read(min(left, MAX_FIELD))
    left -= len(value)
    while left > 0 and (piece := stream.read(min(left, _PIECE))):
        left -= len(piece)
    stream.read(1)
    return value if left == 0 else None


_HEAD = re.compile(
    rb"(?P<ts>[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6} [A-Z0-9+-]+) \[(?P<cursor>s=[^\]]+)\]\s*\Z"
)
_FIELD = re.compile(rb" {4}(?P<name>_{0,2}[A-Z0-9][A-Z0-9_]*)=(?P<value>.*)\Z", re.DOTALL)


def from_verbose(stream: BinaryIO) -> Iterator[Entry | None]:
    """Entries of ``-o verbose``; time, boot and monotonic time are those of the cursor in the head line."""
    fields: dict[str, bytes] | None = None
    name = ""
    for line in _lines(stream):
        head = _HEAD.match(line)
        if head:
            if fields is not None:
                yield fields
            fields, name = _cursor(head["cursor"], head["ts"]), ""
        elif fields is not None and (match := _FIELD.match(line.rstrip(b"\r\n"))):
            name = match["name"].decode("ascii")
            if name in FIELDS:
                fields[name] = match["value"][:MAX_FIELD]
        elif fields is not None and name in fields and line.strip() and len(fields[name]) < MAX_FIELD:
            fields[name] += b"\n" + line.strip()
    if fields is not None:
        yield fields


def _cursor(cursor: bytes, stamp: bytes) -> dict[str, bytes]:
    """Time fields from a cursor ``s=…;i=…;b=boot;m=monotonic;t=realtime;x=…`` (numbers in hex)."""
    parts = dict(part.split(b"=", 1) for part in cursor.split(b";") if b"=" in part)
    fields = {"_BOOT_ID": parts.get(b"b", b"")}
    for key, name in ((b"t", "__REALTIME_TIMESTAMP"), (b"m", "__MONOTONIC_TIMESTAMP")):
        try:
            fields[name] = str(int(parts.get(key, b""), 16)).encode()
        except ValueError:
            continue
    printed = full(stamp.decode("ascii", "replace"))
    realtime = int(fields.get("__REALTIME_TIMESTAMP", b"0"))
    # a shortened or foreign cursor: the printed time counts if its zone is known
    if printed and printed.utc_offset_s is not None and abs(realtime * 1000 - printed.wall_ns) > 86400 * 10**9:
        fields["__REALTIME_TIMESTAMP"] = str((printed.wall_ns - printed.utc_offset_s * 10**9) // 1000).encode()
    return fields
