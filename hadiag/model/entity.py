"""Who and what a log speaks of: nodes, and the closed word lists of the result contract."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NewType

Node = NewType("Node", str)
"""Canonical cluster name of a node (the CIB ``uname``), as the identity stage resolved it."""

Scalar = str | int | float | bool | None | tuple[str, ...]
"""A value of an event field, a view or a fact. A list of names is a sorted tuple."""


class Level(IntEnum):
    """Log level in syslog order, most severe last, so that ``level >= Level.WARNING`` reads well."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    NOTICE = 3
    WARNING = 4
    ERROR = 5
    CRIT = 6
    ALERT = 7
    EMERG = 8

    @property
    def word(self) -> str:
        """The lower-case word that libqb prints."""
        return self.name.lower()


class Severity(StrEnum):
    """Severity of a finding or an incident."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Layer(StrEnum):
    """Layer of the stack, from the bottom up; an order of display, not of cause."""

    HARDWARE = "hardware"
    NETWORK = "network"
    OS = "os"
    STORAGE = "storage"
    COROSYNC = "corosync"
    QUORUM = "quorum"
    FENCING = "fencing"
    PACEMAKER = "pacemaker"
    RESOURCE = "resource"
    CONFIG = "config"


class Role(StrEnum):
    """Part that a finding plays in an incident."""

    CONDITION = "condition"
    TRIGGER = "trigger"
    FAILURE = "failure"
    RESPONSE = "response"
    IMPACT = "impact"


class Category(StrEnum):
    """Why an incident happened: the category of a cause in the result contract."""

    NETWORK = "network"
    HOST_CRASH = "host_crash"
    HOST_STALL = "host_stall"
    DAEMON_CRASH = "daemon_crash"
    FENCE_DEVICE = "fence_device"
    RESOURCE = "resource"
    STORAGE = "storage"
    TIME = "time"
    CONFIGURATION = "configuration"
    ADMINISTRATOR = "administrator"
    QUORUM_DEVICE = "quorum_device"
    AUTHENTICATION = "authentication"
    SOFTWARE_BUG = "software_bug"
    PLATFORM = "platform"
    UNKNOWN = "unknown"


class IncidentKind(StrEnum):
    """What happened: the kinds of the result contract."""

    PARTITION = "partition"
    MEMBERSHIP_UNSTABLE = "membership_unstable"
    LINK_DEGRADED = "link_degraded"
    NODE_LOST = "node_lost"
    NODE_FENCED = "node_fenced"
    SELF_FENCED = "self_fenced"
    NODE_RESTARTED = "node_restarted"
    JOIN_FAILED = "join_failed"
    FENCING_FAILED = "fencing_failed"
    FENCE_RACE = "fence_race"
    FENCE_DEVICE_FAILED = "fence_device_failed"
    QUORUM_LOSS = "quorum_loss"
    QDEVICE_LOST = "qdevice_lost"
    SPLIT_BRAIN = "split_brain"
    RESOURCE_FAILED = "resource_failed"
    RESOURCE_BLOCKED = "resource_blocked"
    NOT_RECOVERED = "not_recovered"
    SERVICE_MOVED = "service_moved"
    DAEMON_DIED = "daemon_died"
    STORAGE_FAILED = "storage_failed"
    CLOCK_STEP = "clock_step"
    CONFIG_REJECTED = "config_rejected"
    AUTH_FAILED = "auth_failed"
    REMOTE_LOST = "remote_lost"
    PLANNED_CHANGE = "planned_change"


class NodeRole(StrEnum):
    """Role of a node in the cluster."""

    MEMBER = "member"
    REMOTE = "remote"
    GUEST = "guest"
    QNETD = "qnetd"
    ARBITRATOR = "arbitrator"
    OTHER = "other"


def confidence_word(confidence: float) -> str:
    """Word for a confidence between 0 and 1, as the result contract defines it."""
    for floor, word in ((0.85, "very likely"), (0.6, "likely"), (0.3, "possible")):
        if confidence >= floor:
            return word
    return "weak"
