"""Inputs of all kinds, and those that are none."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hadiag.errors import WARNINGS
from hadiag.model.source import BundleKind
from hadiag.sources import Inputs, Limits, open_inputs
from hadiag.sources.inputs import collection_time
from tests.unit.sources.building import LOG, PACK, Read, read, read_bytes, tar, zipped

EXPORT = b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1\nMESSAGE=x\n\n"


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_a_loose_log(tmp_path: Path, suffix: str) -> None:
    """A log keeps its own name, packed or not; content decides, not the name."""
    got = read_bytes(tmp_path, PACK[suffix](LOG) if suffix else LOG, name="pacemaker.log-20231114")
    assert got.data == {"pacemaker.log-20231114": LOG}
    assert got.summary.kind is BundleKind.FILE
    assert got.nodes == {"pacemaker.log-20231114": None}
    assert got.codes == []


def test_an_export_of_a_journal(tmp_path: Path) -> None:
    """Text exports are of the kind journal, in the summary and in the artefact."""
    got = read_bytes(tmp_path, PACK["gz"](EXPORT))
    assert got.summary.kind is BundleKind.JOURNAL
    assert got.artifacts[0].kind is BundleKind.JOURNAL
    assert got.data == {"input": EXPORT}


@pytest.mark.parametrize("suffix", ["", *PACK])
def test_rotated_logs_inside_are_unpacked(tmp_path: Path, suffix: str) -> None:
    """A compressed log in an archive keeps its path and loses its compression."""
    name = f"var/log/messages-20231114.{suffix}"
    got = read_bytes(tmp_path, tar({name: PACK[suffix](LOG) if suffix else LOG}))
    assert got.data == {name: LOG}


@pytest.mark.parametrize("pack", ["tar", "zip", "gz", "bz2", "xz", "zst"])
def test_archives_from_disk_and_from_a_pipe_are_equal(tmp_path: Path, pack: str) -> None:
    """The way an archive comes in makes no difference, apart from its name."""
    rows = {"a/one.log": LOG * 200, "a/two.log": LOG, "b/empty": b""}
    data = zipped(rows) if pack == "zip" else tar(rows)
    data = PACK[pack](data) if pack in PACK else data
    disk, pipe = read_bytes(tmp_path, data), read("-", stdin=data)
    assert disk.data == pipe.data == rows
    assert disk.summary.bytes == len(data)
    assert pipe.summary.bytes is None
    assert disk.codes == pipe.codes == []


def test_a_log_from_a_pipe() -> None:
    """Standard input may be a log as well."""
    got = read("-", stdin=LOG)
    assert got.data == {"-": LOG}


def test_a_named_pipe(tmp_path: Path) -> None:
    """The shell's process substitution gives a fifo."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(PACK["gz"](tar({"a.log": LOG})),))
    writer.start()
    got = read(fifo)
    writer.join()
    assert got.data == {"a.log": LOG}


def test_archives_in_archives(tmp_path: Path) -> None:
    """Paths of nested archives are joined by an exclamation mark."""
    inner = PACK["bz2"](tar({"n1/RUNNING": b"n1\n", "n1/messages": LOG}))
    got = read_bytes(tmp_path, zipped({"case/report.tar.bz2": inner, "case/note.txt": b"see the report\n"}))
    assert got.data["case/report.tar.bz2!n1/messages"] == LOG
    assert got.nodes["case/report.tar.bz2!n1/messages"] == "n1"
    assert got.summary.nodes == ("n1",)
    assert got.summary.kind is BundleKind.DIRECTORY
    alone = read_bytes(tmp_path, zipped({"report.tar.bz2": inner}), name="alone")
    assert alone.summary.kind is BundleKind.CRM_REPORT


def test_a_directory(tmp_path: Path) -> None:
    """A directory gives its files in the order of their paths; links and archives in it count."""
    root = tmp_path / "case"
    (root / "n2").mkdir(parents=True)
    (root / "n1").mkdir()
    (root / "n2" / "RUNNING").write_bytes(b"n2\n")
    (root / "n2" / "messages").write_bytes(LOG)
    (root / "n2" / "syslog").symlink_to("messages")
    (root / "n1" / "RUNNING").write_bytes(b"n1\n")
    (root / "n1" / "old.log.gz").write_bytes(PACK["gz"](LOG))
    (root / "z.tar").write_bytes(tar({"a.log": LOG}))
    got = read(root)
    assert list(got.data) == ["n1/RUNNING", "n1/old.log.gz", "n2/RUNNING", "n2/messages", "z.tar!a.log"]
    assert got.data["n1/old.log.gz"] == LOG
    assert got.nodes["n2/messages"] == "n2"
    assert got.aliases("n2/messages") == ("n2/syslog",)
    assert got.summary.kind is BundleKind.CRM_REPORT
    assert got.codes == []


def test_links_out_of_a_directory_are_not_followed(tmp_path: Path) -> None:
    """Neither a file nor a directory outside is read through a link."""
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.log").write_bytes(LOG)
    root = tmp_path / "case"
    root.mkdir()
    (root / "file").symlink_to("../secret/s.log")
    (root / "dir").symlink_to(tmp_path / "secret")
    (root / "a.log").write_bytes(b"here\n")
    assert read(root).data == {"a.log": b"here\n"}


def test_special_files_of_a_directory_are_not_opened(tmp_path: Path) -> None:
    """A fifo without a writer does not block the run."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "a.log").write_bytes(LOG)
    got = read(tmp_path)
    assert got.data == {"a.log": LOG}
    assert got.codes == ["archive-unsafe-name"]


def cases() -> dict[str, tuple[bytes, str]]:
    """Inputs that give nothing, with the warning that says why."""
    packed = PACK["gz"](tar({"a.log": LOG}))
    return {
        "empty": (b"", "input-empty"),
        "empty-tar": (bytes(10240), "input-empty"),
        "empty-zip": (zipped({}), "input-empty"),
        "empty-gz": (PACK["gz"](b""), "input-empty"),
        "only-directories": (tar({"a/": b""}), "input-empty"),
        "head-of-gz": (packed[:12], "archive-truncated"),
        "damaged-gz": (packed[:11] + bytes(50), "archive-damaged"),
        "gpg": (b"\x8c\x0d\x04\x09\x03\x08" + bytes(range(200)), "archive-encrypted"),
        "gpg-key": (b"\x85\x02\x0c\x03" + bytes(range(200)), "archive-encrypted"),
        "armoured": (b"-----BEGIN PGP MESSAGE-----\n\nabc\n", "archive-encrypted"),
        "seven-zip": (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(100), "input-unrecognised"),
        "elf": (b"\x7fELF\2\1\1" + bytes(100), "input-unrecognised"),
        "random": (bytes(range(256)) * 40, "input-unrecognised"),
    }


@pytest.mark.parametrize("case", cases())
def test_what_is_no_input_is_warned_of(tmp_path: Path, case: str) -> None:
    """Every failure has one warning, no artefact and no exception."""
    data, code = cases()[case]
    got = read_bytes(tmp_path, data)
    assert [artifact for artifact in got.artifacts if got.data[artifact.path]] == []
    assert got.codes == [code]
    assert code in WARNINGS
    assert got.summary.path.endswith("/input")


def test_an_archive_that_lost_its_start_is_told(tmp_path: Path) -> None:
    """Loose or among others, it may hold the logs of a whole node; what is no archive by its name is not warned of."""
    (tmp_path / "a.log").write_bytes(LOG)
    (tmp_path / "core").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "node2.tar.gz").write_bytes(bytes(range(256)) * 40)
    got = read(tmp_path)
    assert [(warn.code, Path(warn.where).name) for _, warn in got.inputs.warnings] == [
        ("archive-damaged", "node2.tar.gz")
    ]
    assert read(tmp_path / "node2.tar.gz").codes == ["archive-damaged"]


def test_the_others_go_on(tmp_path: Path) -> None:
    """A missing, an unreadable and a repeated input do not stop the rest; the index tells which one it was."""
    (tmp_path / "a.log").write_bytes(LOG)
    (tmp_path / "same.log").write_bytes(LOG)
    (tmp_path / "b.log").write_bytes(LOG * 2)
    got = read(tmp_path / "none", tmp_path / "a.log", tmp_path / "same.log", tmp_path / "b.log")
    assert got.data == {"a.log": LOG, "b.log": LOG * 2}
    assert [(index, warn.code) for index, warn in got.inputs.warnings] == [(0, "input-missing"), (2, "input-duplicate")]
    assert [Path(summary.path).name for summary in got.inputs.summaries] == ["none", "a.log", "same.log", "b.log"]


def test_the_digest_is_of_the_content(tmp_path: Path) -> None:
    """Equal bytes under another name have the same digest, other bytes another one."""
    one = read_bytes(tmp_path, LOG, name="one").summary.digest
    assert read_bytes(tmp_path, LOG, name="two").summary.digest == one
    assert read_bytes(tmp_path, LOG + b"x", name="three").summary.digest != one
    assert len(one) == 32


def test_the_digest_of_a_directory(tmp_path: Path) -> None:
    """Names, sizes and the start of each file count, secrets by name and size only."""

    def digest(rows: dict[str, bytes]) -> str:
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        root.mkdir()
        for name, content in rows.items():
            (root / name).write_bytes(content)
        return read(root).summary.digest

    base = digest({"a": LOG, "authkey": b"1"})
    assert digest({"a": LOG, "authkey": b"1"}) == base
    assert digest({"a": LOG, "authkey": b"2"}) == base
    assert digest({"b": LOG, "authkey": b"1"}) != base
    assert digest({"a": LOG.swapcase(), "authkey": b"1"}) != base


@pytest.mark.parametrize("pack", ["tar", "zip", "gz", "bz2", "xz", "dir"])
def test_progress_ends_at_the_size(tmp_path: Path, pack: str) -> None:
    """The hook is told how much of the compressed input was read, up to all of it."""
    rows = {f"{n}.log": LOG * 3000 for n in range(3)}
    path = tmp_path / "input"
    if pack == "dir":
        path.mkdir()
        for name, content in rows.items():
            (path / name).write_bytes(content)
    else:
        data = zipped(rows) if pack == "zip" else tar(rows)
        path.write_bytes(PACK[pack](data) if pack in PACK else data)
    seen: list[tuple[int, int]] = []
    inputs = Inputs([str(path)], on_bytes=lambda index, count: seen.append((index, count)))
    assert sum(len(artifact.stream.read()) for artifact in inputs) == 9000 * len(LOG)
    assert seen[-1] == (0, inputs.summaries[0].bytes)


def test_a_stream_ends_with_its_turn(tmp_path: Path) -> None:
    """Streams that were not read are passed over; reading one too late is an error, not half a file."""
    path = tmp_path / "input"
    path.write_bytes(PACK["gz"](tar({"a.log": LOG * 5000, "b.log": LOG * 5000})))
    artifacts = list(open_inputs([str(path)]))
    assert [artifact.path for artifact in artifacts] == ["a.log", "b.log"]
    with pytest.raises(ValueError, match="closed"):
        artifacts[0].stream.read()


def test_stopping_early_closes_everything(tmp_path: Path) -> None:
    """Who stops in the middle still gets the summary."""
    path = tmp_path / "input"
    path.write_bytes(PACK["xz"](tar({"a.log": LOG, "b.log": LOG})))
    inputs = Inputs([str(path)])
    iterator = iter(inputs)
    assert next(iterator).path == "a.log"
    iterator.close()  # type: ignore[attr-defined]  # it is a generator
    assert len(inputs.summaries) == 1


def test_equal_names_in_one_archive_stay_apart(tmp_path: Path) -> None:
    """An archive that was appended to has a member twice; places of lines must not collide."""
    got = read_bytes(tmp_path, tar([("a.log", LOG), ("a.log", LOG + LOG)]))
    assert got.data == {"a.log": LOG, "a.log (2)": LOG * 2}


def test_results_do_not_depend_on_the_run(tmp_path: Path) -> None:
    """The same input gives the same artefacts and warnings."""

    def facts(got: Read) -> object:
        return got.data, got.nodes, got.roles, got.inputs.summaries, got.inputs.warnings, got.inputs.collected_at

    data = PACK["xz"](tar({"n1/RUNNING": b"", "n1/a.log": LOG, "../x": LOG}))
    assert facts(read_bytes(tmp_path, data)) == facts(read_bytes(tmp_path, data))


def test_limits_have_the_documented_values() -> None:
    """The limits are part of the contract."""
    assert Limits() == Limits(2 << 30, 1000, 4, 200_000, 64 << 30)


@pytest.mark.parametrize(
    ("mtimes", "newest"),
    [
        ([], None),
        ([0, 5], None),
        ([1_700_000_000], 1_700_000_000),
        ([1_700_000_000, 1_700_000_100, 1_900_000_000], 1_700_000_100),
    ],
)
def test_the_time_of_collection(mtimes: list[int], newest: int | None) -> None:
    """A single time far from all others is not believed, nor one outside of this century."""
    assert collection_time(mtimes) == newest
