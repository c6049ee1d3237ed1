"""Members that are not opened: secrets, and binary files known by name."""

from __future__ import annotations

import re

_SECRET = re.compile(
    r"authkey|.*\.(?:key|pem|p12|pfx|jks|keytab|ppk|kdbx)|key[34]\.db|pwdfile\.txt|noise\.txt|id_(?:rsa|dsa|ecdsa|ed25519)\w*"
    r"|ssh_host_\w+_key|g?shadow-?|key_hagroup|booth\.key|known-hosts|pcs_users\.conf|tokens|\.pgpass|chap-secrets"
    r"|\.(?:my\.cnf|netrc|vault-token)",
    re.IGNORECASE,
)
_BINARY = re.compile(
    r"[wb]tmp(?:[-.].*)?|utmp|lastlog|faillog|tallylog|fdata(?:-.*)?|cores?\.\d+|vmcore|cert[89]\.db|sa\d\d(?:\d{6})?"
    r"|.*\.(?:pcap|pcapng|cap|rpm|deb|so|ko|o|a|pyc|png|jpe?g|gif|svg|ico|pdf|html|css|js|db|sqlite3?|mo|gpg|asc|crt|der|core)"
    r"|initr(?:d|amfs)[-.].*|vmlinuz.*|hwdb\.bin|udev\.db",
    re.IGNORECASE,
)


def is_opaque(path: str) -> bool:
    """Tell whether a member is listed only: its content is never looked at."""
    name = path.rpartition("/")[2]
    return _SECRET.fullmatch(name) is not None or _BINARY.fullmatch(name) is not None or "/.ssh/" in path
