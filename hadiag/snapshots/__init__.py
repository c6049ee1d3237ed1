"""Facts from configuration files and status output.

``match`` finds the parser of a file from its path and first bytes, ``read`` turns the file into facts, ``settle`` puts the
facts of all files together. Each parser's module names the tables that it fills and shows what it reads; ``derived.py``
documents the table ``derived``. ``hadiag/rulelang/tables.py`` lists the fields of all tables.
"""

from __future__ import annotations

from hadiag.model.fact import Fact
from hadiag.model.source import Warn
from hadiag.snapshots.base import MAX_BYTES, SnapshotParser, Source
from hadiag.snapshots.booth import BoothParser
from hadiag.snapshots.cib import CibParser
from hadiag.snapshots.clocks import ChronyTrackingParser, DateParser, TimedatectlParser, TimeSourcesParser
from hadiag.snapshots.composite import CompositeParser
from hadiag.snapshots.corosync import CmapParser, CorosyncConfParser, QuorumToolParser
from hadiag.snapshots.corosync_tools import CfgToolParser, QuorumMembersParser
from hadiag.snapshots.crm_configure import CrmConfigureParser
from hadiag.snapshots.crm_mon import CrmMonParser
from hadiag.snapshots.crm_mon_xml import CrmMonXmlParser
from hadiag.snapshots.drbd import DrbdConfParser, DrbdStatusParser
from hadiag.snapshots.fencing_history import FencingHistoryParser
from hadiag.snapshots.firewall import RulesParser, ZonesParser
from hadiag.snapshots.host import (
    AddressParser,
    BondParser,
    DiskUsageParser,
    LogrotateParser,
    ModuleParser,
    MountParser,
    SettingsParser,
    WatchdogParser,
)
from hadiag.snapshots.keys import FingerprintParser
from hadiag.snapshots.load import CrashParser, SarParser, SelParser
from hadiag.snapshots.manifest import ManifestParser
from hadiag.snapshots.members import MembersParser, VerifyParser
from hadiag.snapshots.packages import PackageListParser, SysinfoParser, SystemParser
from hadiag.snapshots.pcs_config import PcsConfigParser
from hadiag.snapshots.sbd import SbdParser
from hadiag.snapshots.settle import settle
from hadiag.snapshots.storage import LvmConfParser, MultipathParser
from hadiag.snapshots.systemd import BootsParser, UnitFilesParser, UnitsParser, UnitStatusParser

__all__ = ["MAX_BYTES", "PARSERS", "SnapshotParser", "Source", "match", "read", "settle"]


def match(path: str, head: bytes) -> SnapshotParser | None:
    """Find the parser that reads a file, or None."""
    return next((parser for parser in PARSERS if parser.matches(path, head)), None)


PARSERS: tuple[SnapshotParser, ...] = (
    ManifestParser(),
    CibParser(),
    CrmMonXmlParser(),
    CompositeParser(match),
    CorosyncConfParser(),
    CmapParser(),
    QuorumToolParser(),
    QuorumMembersParser(),
    CfgToolParser(),
    CrmMonParser(),
    CrmConfigureParser(),
    PcsConfigParser(),
    FencingHistoryParser(),
    SbdParser(),
    DrbdStatusParser(),
    DrbdConfParser(),
    TimedatectlParser(),
    ChronyTrackingParser(),
    TimeSourcesParser(),
    DateParser(),
    SysinfoParser(),
    PackageListParser(),
    SystemParser(),
    AddressParser(),
    DiskUsageParser(),
    BondParser(),
    ModuleParser(),
    WatchdogParser(),
    MultipathParser(),
    LvmConfParser(),
    BoothParser(),
    ZonesParser(),
    RulesParser(),
    FingerprintParser(),
    LogrotateParser(),
    SettingsParser(),
    MountParser(),
    MembersParser(),
    VerifyParser(),
    UnitFilesParser(),
    UnitsParser(),
    BootsParser(),
    UnitStatusParser(),
    SarParser(),
    CrashParser(),
    SelParser(),
)
"""The parsers in the order in which they are asked: what the content tells for certain comes first."""


def read(parser: SnapshotParser, source: Source, data: bytes) -> tuple[tuple[Fact, ...], tuple[Warn, ...]]:
    """Read one snapshot; a file that cannot be parsed becomes a warning."""
    try:
        return tuple(parser.parse(source, data)), ()
    except ValueError as error:
        reason = f"{source.path} is no readable {parser.name} ({error}); it was left out."
        return (), (Warn("snapshot-unreadable", reason, source.path),)
