"""The logs of a recorded incident, packed as every collector packs them.

Materials of a node are its files by their place on the node (``var/log/pacemaker/pacemaker.log`` …). Each function makes the
inputs of one kind below a directory and returns their paths.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from tests.golden.judge import Sample
from tests.unit.sources.building import Row, hard_link, symlink, tar, zipped, zst

Files = dict[str, bytes]
Nodes = Mapping[str, Files]
"""Files of each node."""
Maker = Callable[[Path, Nodes], list[Path]]

STAMP = "261122_1200"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 1, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lambda data: lzma.compress(data, preset=0),
    ".zst": zst,
}
PACEMAKER = "var/log/pacemaker/pacemaker.log"
COROSYNC = "var/log/corosync/corosync.log"
CONF = "etc/corosync/corosync.conf"


def materials(sample: Sample) -> Nodes:
    """The files of each node of a sample."""
    found: dict[str, Files] = {}
    for path in sample.raw:
        node = path.name.removesuffix("-varlog.tar.gz")
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile() and member.size]
            files = {member.name: archive.extractfile(member) for member in members}
            found[node] = {_usual(name): file.read() for name, file in files.items() if file is not None}
    return found


def _usual(name: str) -> str:
    return COROSYNC if name.endswith("/corosync.log") else name


def system_log(files: Files) -> bytes:
    """The node's syslog."""
    return files.get("var/log/syslog") or files.get("var/log/messages") or b""


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def crm_report_rows(nodes: Nodes, top: str = "pcmk-Sun-22-Nov-2026") -> list[Row]:
    """Members of what ``crm_report`` of pacemaker writes."""
    rows: list[Row] = [
        (f"{top}/report.summary", b"".join(f"{node}:  Collecting data\n".encode() for node in nodes)),
        (f"{top}/members.txt", " ".join(nodes).encode() + b"\n"),
        (f"{top}/analysis.txt", b"Diff members.txt... OK\n"),
    ]
    for node, files in nodes.items():
        rows += [
            (f"{top}/{node}/RUNNING", f"{node}\n".encode()),
            symlink(f"{top}/{node}/members.txt", "../members.txt"),
            (f"{top}/{node}/corosync.conf", files[CONF]),
            (f"{top}/{node}/pacemaker.log.extract.txt", files[PACEMAKER]),
            (f"{top}/{node}/corosync.log.extract.txt", files[COROSYNC]),
            (f"{top}/{node}/syslog.extract.txt", system_log(files)),
            symlink(f"{top}/{node}/cluster-log.txt", "corosync.log.extract.txt"),
            (f"{top}/{node}/events.txt", files[COROSYNC][:2000]),
        ]
    return rows


def crm_report(folder: Path, nodes: Nodes, suffix: str = ".bz2") -> list[Path]:
    """One archive of pacemaker's tool."""
    return [_write(folder / f"case.tar{suffix}", COMPRESS[suffix](tar(crm_report_rows(nodes))))]


def hb_report(folder: Path, nodes: Nodes) -> list[Path]:
    """One archive of the old tool of crmsh: the syslog is ``ha-log.txt``, hard-linked, and copied to the top."""
    top = "hb_report-Sun-22-Nov-2026"
    rows: list[Row] = [(f"{top}/description.txt", b"Date: Sun Nov 22 12:00:00 UTC 2026\nBy: report\n")]
    for number, (node, files) in enumerate(nodes.items()):
        if number == 0:
            rows.append((f"{top}/ha-log.txt", system_log(files)))
        rows += [
            (f"{top}/{node}/RUNNING", b""),
            (f"{top}/{node}/ha-log.txt", system_log(files)),
            (f"{top}/{node}/ha-log.txt.info", b"/var/log/messages 1234"),
            hard_link(f"{top}/{node}/messages", f"{top}/{node}/ha-log.txt"),
            (f"{top}/{node}/pacemaker.log", files[PACEMAKER]),
            (f"{top}/{node}/corosync.log", files[COROSYNC]),
            (f"{top}/{node}/corosync.conf", files[CONF]),
        ]
    return [_write(folder / "renamed-by-the-customer.tar.bz2", bz2.compress(tar(rows)))]


def crm_report_of_crmsh(folder: Path, nodes: Nodes) -> list[Path]:
    """One archive of ``crm report`` of crmsh 4.6 and later."""
    top = "crm_report-Sun-22-Nov-2026"
    rows: list[Row] = [(f"{top}/description.txt", b"Date: 2026-11-22 12:00:00\nBy: crm report\n")]
    for node, files in nodes.items():
        rows += [
            (f"{top}/{node}/RUNNING", b""),
            (f"{top}/{node}/configure_show.txt", b"\n"),
            (f"{top}/{node}/sysinfo.txt", b"##### System info #####\n"),
            (f"{top}/{node}/messages", system_log(files)),
            (f"{top}/{node}/pacemaker.log", files[PACEMAKER]),
            (f"{top}/{node}/corosync.log", files[COROSYNC]),
            (f"{top}/{node}/corosync.conf", files[CONF]),
        ]
    return [_write(folder / f"{top}.tar.gz", gzip.compress(tar(rows), 1))]


def _sos(node: str, files: Files) -> tuple[str, bytes]:
    top = f"sosreport-{node}-2026-11-22-abcdefg"
    rows: list[Row] = [
        (f"{top}/version.txt", b"sosreport: 4.5.3\n"),
        (f"{top}/sos_logs/sos.log", b"2026-11-22 12:00:00,000 INFO: [plugin:pacemaker] collecting\n"),
        (f"{top}/sos_commands/host/hostname", f"{node}.example.com\n".encode()),
        symlink(f"{top}/hostname", "sos_commands/host/hostname"),
        symlink(f"{top}/etc/localtime", "/usr/share/zoneinfo/UTC"),
        *((f"{top}/{name}", data) for name, data in sorted(files.items())),
    ]
    return f"{top}.tar.xz", COMPRESS[".xz"](tar(rows))


def sosreports(folder: Path, nodes: Nodes) -> list[Path]:
    """One sosreport for each node, its host name fully qualified."""
    return [_write(folder / name, data) for name, data in (_sos(*each) for each in nodes.items())]


def cleaned(folder: Path, nodes: Nodes) -> list[Path]:
    """Sosreports that were masked one by one: each calls its own host ``host0`` and leaves the others' names."""
    paths = []
    for node, files in nodes.items():
        masked = {name: data.replace(node.encode(), b"host0") for name, data in files.items()}
        paths += sosreports(folder / node, {"host0": masked})
    return paths


def sos_collect(folder: Path, nodes: Nodes) -> list[Path]:
    """The sosreports inside one archive."""
    top = "sos-collector-2026-11-22-abcde"
    rows: list[Row] = [(f"{top}/sos_reports/manifest.json", b"{}")]
    for node, files in nodes.items():
        name, data = _sos(node, files)
        rows += [(f"{top}/{name}", data), (f"{top}/checksums/{name}.sha256", b"0" * 64)]
    return [_write(folder / f"{top}.tar.xz", COMPRESS[".xz"](tar(rows)))]


def _section(kind: str, argument: str, text: bytes) -> bytes:
    return f"#==[ {kind} ]======================================#\n# {argument}\n".encode() + text + b"\n"


def _supportconfig(node: str, files: Files) -> bytes:
    top = f"scc_{node}_{STAMP}"
    ha = (
        b"=============================================================================\n"
        + _section("Command", "/bin/rpm -qa", b"pacemaker-2.1.5\n")
        + _section("Configuration File", "/etc/corosync/corosync.conf", files[CONF])
        + _section("Log File", "/var/log/pacemaker/pacemaker.log - Last 500 Lines", files[PACEMAKER])
        + _section("Log File", "/var/log/cluster/corosync.log", files[COROSYNC])
        + _section("Log File", "/var/log/ha-cluster-bootstrap.log - File not found", b"")
    )
    rows = {
        f"{top}/basic-environment.txt": _section(
            "Command", "/bin/uname -a", f"Linux {node} 5.14.21-default #1 SMP x86_64\n".encode()
        ),
        f"{top}/supportconfig.txt": b"Supportutils\n",
        f"{top}/messages.txt": _section("Log File", "/var/log/messages", system_log(files)),
        f"{top}/ha.txt": ha,
    }
    return tar(rows)


def supportconfigs(folder: Path, nodes: Nodes) -> list[Path]:
    """One supportconfig for each node."""
    return [
        _write(folder / f"scc_{node}_{STAMP}.txz", COMPRESS[".xz"](_supportconfig(node, files)))
        for node, files in nodes.items()
    ]


def hadiag_collect(folder: Path, nodes: Nodes) -> list[Path]:
    """A bundle of our own."""
    names = ", ".join(f'"n{number}": "{node}"' for number, node in enumerate(nodes))
    rows: list[Row] = [
        ("case/manifest.json", f'{{"schema": "hadiag/collect/v1", "directories": {{{names}}}, "nodes": []}}'.encode())
    ]
    for number, files in enumerate(nodes.values()):
        rows += [(f"case/n{number}/{name}", data) for name, data in sorted(files.items())]
    return [_write(folder / "case.tar.zst", zst(tar(rows)))]


def directory(folder: Path, nodes: Nodes) -> list[Path]:
    """Everything unpacked: a directory for each node."""
    for node, files in nodes.items():
        for name, data in files.items():
            _write(folder / "case" / node / name, data)
    return [folder / "case"]


def loose(folder: Path, nodes: Nodes) -> list[Path]:
    """Log files one by one, nothing else."""
    names = {PACEMAKER: "pacemaker.log", COROSYNC: "corosync.log", CONF: "corosync.conf"}
    return [
        _write(folder / str(number) / short, files[name])
        for number, files in enumerate(nodes.values())
        for name, short in names.items()
    ] + [_write(folder / str(number) / "messages", system_log(files)) for number, files in enumerate(nodes.values())]


def zip_of_everything(folder: Path, nodes: Nodes) -> list[Path]:
    """A zip that holds a sosreport of one node and the files of the others."""
    rows: Files = {}
    for number, (node, files) in enumerate(nodes.items()):
        if number == 0:
            rows.update([_sos(node, files)])
        else:
            rows |= {f"{node}/{name}": data for name, data in files.items()}
    return [_write(folder / "case.zip", zipped(rows))]


def mixed(folder: Path, nodes: Nodes) -> list[Path]:
    """Every node in another kind, in one run."""
    makers: Sequence[Maker] = (sosreports, supportconfigs, crm_report)
    return [
        path
        for number, (node, files) in enumerate(nodes.items())
        for path in makers[number % 3](folder / node, {node: files})
    ]


def rotated(folder: Path, nodes: Nodes) -> list[Path]:
    """Every log in three parts, the older ones compressed and numbered or dated, given one by one in disorder."""
    paths = []
    for node, files in nodes.items():
        for name, data in files.items():
            if name in {PACEMAKER, COROSYNC}:
                old, middle, new = parts(data, 3)
                path = folder / node / name
                paths += [
                    _write(path, new),
                    _write(path.with_name(f"{path.name}.2.gz"), gzip.compress(old)),
                    _write(path.with_name(f"{path.name}.1"), middle),
                ]
            elif data is system_log(files):
                old, middle, new = parts(data, 3)
                path = folder / node / "var/log/messages"
                paths += [
                    _write(path.with_name("messages-20261122.xz"), lzma.compress(middle)),
                    _write(path, new),
                    _write(path.with_name("messages-20261115.bz2"), bz2.compress(old)),
                ]
            elif name == CONF:
                paths.append(_write(folder / node / name, data))
    return paths


def parts(data: bytes, count: int) -> list[bytes]:
    """Cut a log at line ends."""
    lines = io.BytesIO(data).readlines()
    bounds = [len(lines) * index // count for index in range(count + 1)]
    return [b"".join(lines[low:high]) for low, high in pairwise(bounds)]


def twice(folder: Path, nodes: Nodes) -> list[Path]:
    """The same logs in two bundles of different tools."""
    return [*hb_report(folder / "a", nodes), *sosreports(folder / "b", nodes)]


KINDS: dict[str, Maker] = {
    "crm_report": crm_report,
    "hb_report": hb_report,
    "crm report": crm_report_of_crmsh,
    "sosreport": sosreports,
    "sos collect": sos_collect,
    "supportconfig": supportconfigs,
    "hadiag collect": hadiag_collect,
    "directory": directory,
    "loose files": loose,
    "zip": zip_of_everything,
    "mixed kinds": mixed,
    "rotated parts": rotated,
    "given twice": twice,
}
