"""Stamps of single lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from hadiag.formats import dates
from hadiag.model.time import NS, PLACEHOLDER_YEAR, ZONE_OFFSETS, LoggedTime

PRINTING = (
    *("UTC", "Etc/GMT", "Europe/London", "Europe/Lisbon", "Europe/Berlin", "Europe/Helsinki", "Africa/Lagos", "MET"),
    *("Africa/Maputo", "Africa/Johannesburg", "Africa/Nairobi", "Asia/Jerusalem", "Asia/Karachi", "Asia/Jakarta"),
    *(
        "Asia/Makassar",
        "Asia/Jayapura",
        "Asia/Hong_Kong",
        "Australia/Perth",
        "Asia/Tokyo",
        "Asia/Seoul",
        "Pacific/Guam",
    ),
    *("Australia/Darwin", "Australia/Adelaide", "Australia/Brisbane", "Australia/Sydney", "Pacific/Auckland"),
    *("America/St_Johns", "America/Halifax", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "America/Anchorage", "America/Adak", "Pacific/Honolulu", "Pacific/Pago_Pago"),
)
MS = 1_000_000
US = 1_000


def _ns(*parts: int) -> int:
    year, month, day, hour, minute, second = parts
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * NS


@pytest.mark.parametrize(
    ("read", "text", "wall_ns", "offset", "unit"),
    [
        (dates.bsd, "May  7 13:33:20", _ns(PLACEHOLDER_YEAR, 5, 7, 13, 33, 20), None, NS),
        (dates.bsd, "Feb 29 00:00:00.085", _ns(PLACEHOLDER_YEAR, 2, 29, 0, 0, 0) + 85 * MS, None, MS),
        (dates.bsd, "Dec 31 23:59:60", _ns(PLACEHOLDER_YEAR, 12, 31, 23, 59, 59) + NS, None, NS),
        (dates.iso, "2024-05-07T13:33:20.123456+02:00", _ns(2024, 5, 7, 13, 33, 20) + 123456 * US, 7200, US),
        (dates.iso, "2024-05-07T13:33:20-0330", _ns(2024, 5, 7, 13, 33, 20), -12600, NS),
        (dates.iso, "2024-05-07T13:33:20Z", _ns(2024, 5, 7, 13, 33, 20), 0, NS),
        (dates.iso, "2024-05-07 13:33:20,123", _ns(2024, 5, 7, 13, 33, 20) + 123 * MS, None, MS),
        (dates.full, "Tue 2024-05-07 13:33:20.000001 CST", _ns(2024, 5, 7, 13, 33, 20) + US, None, US),
        (dates.full, "Tue 2024-05-07 13:33:20 UTC", _ns(2024, 5, 7, 13, 33, 20), 0, NS),
        (dates.full, "Tue 2024-05-07 13:33:20 +03", _ns(2024, 5, 7, 13, 33, 20), 10800, NS),
        (dates.slash, "2010/05/09_12:10:40", _ns(2010, 5, 9, 12, 10, 40), None, NS),
        (dates.ctime, "Tue May  7 13:33:20 2024", _ns(2024, 5, 7, 13, 33, 20), None, NS),
        (dates.access, "22/May/2019:11:59:45 +0200", _ns(2019, 5, 22, 11, 59, 45), 7200, NS),
        (dates.access, "22/May/2019:11:59:44 UTC", _ns(2019, 5, 22, 11, 59, 44), 0, NS),
        (dates.epoch, "1715081600.123456", 1715081600 * NS + 123456 * US, 0, US),
        (dates.epoch, "1364481363.243", 1364481363 * NS + 243 * MS, 0, MS),
    ],
)
def test_reads_stamp(
    read: Callable[[str], LoggedTime | None], text: str, wall_ns: int, offset: int | None, unit: int
) -> None:
    """Calendar time, offset and unit of the last digit are those printed."""
    time = read(text)
    assert time is not None
    assert (time.text, time.wall_ns, time.utc_offset_s, time.resolution_ns) == (text, wall_ns, offset, unit)
    assert time.has_year == (read is not dates.bsd)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (dates.bsd, "Feb 30 00:00:00"),
        (dates.bsd, "Mai  7 13:33:20"),
        (dates.bsd, "May  7 24:00:00"),
        (dates.bsd, ""),
        (dates.iso, "2023-02-29T00:00:00Z"),
        (dates.iso, "0000-01-01T00:00:00Z"),
        (dates.iso, "2024-13-01T00:00:00Z"),
        (dates.full, "Tue 2024-05-07 13:33:20"),
        (dates.slash, "2010/05/09 12:10:40"),
        (dates.ctime, "Tue Mai  7 13:33:20 2024"),
        (dates.access, "32/May/2019:11:59:45 +0200"),
        (dates.epoch, "1715081600"),
    ],
)
def test_refuses_what_is_no_time(read: Callable[[str], LoggedTime | None], text: str) -> None:
    """A stamp that names no moment is None."""
    assert read(text) is None


@pytest.mark.parametrize(("text", "seconds"), [("+0200", 7200), ("-08:00", -28800), ("+05", 18000), ("Z", 0)])
def test_zone_offset(text: str, seconds: int) -> None:
    """Offsets come with and without colon and minutes."""
    assert dates.zone_offset(text) == seconds


@pytest.mark.parametrize("text", ["CST", "+2", "+1600", "+0260", ""])
def test_unknown_zone(text: str) -> None:
    """The name of a zone is no offset: CST alone has four of them."""
    assert dates.zone_offset(text) is None


def test_uptime() -> None:
    """Time since boot is read with and without fraction."""
    assert dates.uptime_ns(" 1415.227237") == 1415227237000
    assert dates.uptime_ns("1471") == 1471 * NS
    assert dates.uptime_ns("x") is None


@pytest.mark.parametrize("name", sorted(ZONE_OFFSETS))
def test_zone_names_mean_what_the_zones_print(name: str) -> None:
    """Every name in the table is printed by some zone at that offset."""
    seen = set()
    for zone in (ZoneInfo(each) for each in PRINTING):
        for month in (1, 7):
            moment = datetime(2012, month, 15, tzinfo=zone)
            seen.add((moment.tzname(), moment.utcoffset()))
    assert (name, timedelta(seconds=ZONE_OFFSETS[name])) in seen
