from __future__ import annotations

import base64
import gzip
import tarfile
from pathlib import Path

import pytest

from hadiag.collect.bundle import Bundle, safe_path, suffix_of
from hadiag.collect.conclude import conclude
from hadiag.collect.frames import Data, Frames, Said
from hadiag.collect.manifest import Manifest, NodeRow, Result, Status, StepRow, from_json
from hadiag.collect.nodes import from_file, parse
from hadiag.collect.plan import Window, steps
from hadiag.collect.receive import Receiver
from hadiag.collect.runner import Order, collect
from hadiag.errors import OutputError, UsageError

FEW = frozenset({"date", "uname", "mounts"})


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def stream(*files: tuple[str, bytes], step: str = "uname", end: str = "bye") -> bytes:
    """What a node would write for some files of one step."""
    lines = [f"#H hello 1 {b64('n1')} 1 0 0 1", f"#H step {step} 1"]
    for path, content in files:
        data = base64.b64encode(gzip.compress(content)).decode()
        lines += [
            f"#H file {b64(path)} gzip 1700000000 - -",
            *(data[at : at + 76] for at in range(0, len(data), 76)),
            "#H end 0 ",
        ]
    return "\n".join([*lines, f"#H done {step} 0 1", f"#H {end}", ""]).encode()


def received(tmp_path: Path, data: bytes) -> tuple[Bundle, Manifest]:
    bundle = Bundle(str(tmp_path / "case.tar.gz"))
    manifest = bundle.open() or Manifest("0", 0, 1, 0)
    row = manifest.nodes.setdefault("n1", NodeRow("n1", "n1", "script"))
    receiver = Receiver(row, steps(), bundle, 1 << 20)
    receiver.feed(data)
    conclude(manifest, steps())
    return bundle, manifest


def test_frames_in_pieces_of_any_size() -> None:
    """The stream reads the same however the network cuts it, and noise in it is passed over."""
    data = b"Welcome to n1!\n" + stream(("a", b"content" * 100))
    whole = list(Frames().feed(data))
    frames = Frames()
    pieces = [part for at in range(0, len(data), 7) for part in frames.feed(data[at : at + 7])]
    for parts in (whole, pieces):
        assert b"".join(part.data for part in parts if isinstance(part, Data)) == b"content" * 100
        assert [part.word for part in parts if isinstance(part, Said)] == [
            "hello",
            "step",
            "file",
            "end",
            "done",
            "bye",
        ]


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("/etc/../../../root/x", "etc/root/x"),
        ("../../x", "x"),
        ("a\n\x1b[31mb", "a__[31mb"),
        ("", "unnamed"),
        ("/", "unnamed"),
        ("a\\..\\b", "a_.._b"),
    ],
)
def test_a_node_cannot_write_outside(path: str, safe: str) -> None:
    """Names come from the node and are not believed."""
    assert safe_path(path) == safe


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    """A log and its packed part of the same name do not overwrite each other."""
    bundle, manifest = received(tmp_path, stream(("log", b"one"), ("log", b"two")))
    assert [row.path for row in manifest.nodes["n1"].steps["uname"].files] == ["log", "log~2"]
    assert (bundle.root / "n1/log~2").read_bytes() == b"two"


def test_a_bomb_is_cut_at_the_limit(tmp_path: Path) -> None:
    """What unpacks to more than its step may give is cut, without unpacking it all."""
    bundle, manifest = received(tmp_path, stream(("x", b"\0" * (64 << 20))))
    row = manifest.nodes["n1"].steps["uname"].files[0]
    assert row.bytes == 1 << 20
    assert row.truncated
    assert (bundle.root / "n1/x").stat().st_size == 1 << 20


def test_the_manifest_comes_first_and_reads_back(tmp_path: Path) -> None:
    """The head of a damaged archive still says whose is what; the sums are those of the members."""
    import hashlib

    bundle, manifest = received(tmp_path, stream(("x", b"content")))
    bundle.pack(manifest)
    with tarfile.open(bundle.output) as archive:
        names = archive.getnames()
        members = {name: file.read() for name in names if (file := archive.extractfile(name))}
    assert names == ["case/manifest.json", "case/n1/x"]
    again = from_json(members["case/manifest.json"].decode())
    row = again.nodes["n1"].steps["uname"].files[0]
    assert (row.sha256, row.bytes) == (hashlib.sha256(members["case/n1/x"]).hexdigest(), 7)
    assert again.missing == []
    assert again.nodes == manifest.nodes
    assert bundle.output.stat().st_mode & 0o077 == 0


def test_a_step_that_was_not_reached_is_missing() -> None:
    """Each missing piece has a reason and a command."""
    manifest = Manifest("0", 0, 1, 0)
    row = NodeRow("n1", "n1", "ssh")
    row.steps = {
        "uname": StepRow("uname", "kernel", "uname -a", Status.OK, bytes=5),
        "cib": StepRow("cib", "CIB with status", "cibadmin -Q", Status.TIMEOUT, why="no result within 30 s"),
    }
    manifest.nodes["n1"] = row
    conclude(manifest, [step for step in steps() if step.id in row.steps])
    assert manifest.result is Result.PARTIAL
    assert [(each.what, each.why, each.command) for each in manifest.missing] == [
        ("CIB with status", "no result within 30 s", "cibadmin -Q")
    ]


def test_steps_that_were_not_reached_are_one_row() -> None:
    """Fifty sentences would hide the one that counts."""
    manifest = Manifest("0", 0, 1, 0)
    row = NodeRow("n1", "n1", "ssh")
    row.steps = {step.id: StepRow(step.id, step.about, step.command) for step in steps() if not step.rescue}
    row.steps["date"] = StepRow("date", "wall clock and zone", "date", Status.OK, bytes=5)
    row.steps["cib"].status, row.steps["cib"].why = Status.LOST, "the connection was lost"
    manifest.nodes["n1"] = row
    conclude(manifest, steps())
    assert [each.why for each in manifest.missing] == ["the connection was lost", "the end came before"]
    assert f"and {len(row.steps) - 3} further steps" in manifest.missing[1].what


def test_a_node_without_any_log_is_partial() -> None:
    """No journal and no log file: the verdict has nothing to stand on."""
    manifest = Manifest("0", 0, 1, 0)
    row = NodeRow("n1", "n1", "ssh")
    row.steps = {
        "uname": StepRow("uname", "kernel", "uname -a", Status.OK, bytes=5),
        "journal": StepRow("journal", "journal", "journalctl", Status.ABSENT, why="there is no journalctl on the node"),
    }
    manifest.nodes["n1"] = row
    conclude(manifest, steps())
    assert manifest.result is Result.PARTIAL
    assert "there is no journalctl" in manifest.missing[0].why


def test_this_machine_is_collected_without_ssh(tmp_path: Path) -> None:
    """On a node of the cluster nothing else is needed."""
    import socket

    here = socket.gethostname()
    order = Order(str(tmp_path / "case.tar.gz"), parse([here]), Window(0, 1), only=FEW)
    manifest = collect(order)
    assert manifest.nodes[here].how == "local"
    assert {row.status for row in manifest.nodes[here].steps.values()} == {Status.OK}
    assert manifest.nodes[here].cost["cpu_s"] >= 0
    assert collect(order).nodes == manifest.nodes, "a second run has nothing left to do"


def test_the_output_of_a_script_is_taken_in(tmp_path: Path) -> None:
    """For a node that nobody may log in to; the node is the one that wrote it."""
    (tmp_path / "x.stream").write_bytes(stream(("commands/uname_-a", b"Linux")))
    manifest = collect(Order(str(tmp_path / "c.tar.gz"), (), Window(0, 1), add=(str(tmp_path / "x.stream"),), only=FEW))
    assert manifest.nodes["n1"].how == "script"
    assert manifest.nodes["n1"].steps["uname"].status is Status.OK


def test_half_of_such_an_output_is_taken_in(tmp_path: Path) -> None:
    """A file that was cut in the transfer is partial, and says so."""
    data = stream(("commands/uname_-a", "".join(map(str, range(2000))).encode()))
    (tmp_path / "x.stream").write_bytes(data[: len(data) - 40])
    manifest = collect(Order(str(tmp_path / "c.tar.gz"), (), Window(0, 1), add=(str(tmp_path / "x.stream"),), only=FEW))
    assert manifest.result is Result.PARTIAL
    assert "ends before its end mark" in manifest.missing[0].why


def test_a_file_that_is_no_such_output(tmp_path: Path) -> None:
    """Told in one sentence."""
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(UsageError, match="no output of a script"):
        collect(Order(str(tmp_path / "c.tar.gz"), (), Window(0, 1), add=(str(tmp_path / "x"),), only=FEW))


def test_another_file_is_never_overwritten(tmp_path: Path) -> None:
    """An archive of another tool under the name of the output stays."""
    target = tmp_path / "case.tar.gz"
    with tarfile.open(target, "w:gz") as archive:
        archive.add(__file__, "case/x")
    before = target.read_bytes()
    with pytest.raises(UsageError, match="is no bundle"):
        collect(Order(str(target), parse(["nowhere.invalid"]), Window(0, 1), only=FEW))
    assert target.read_bytes() == before
    assert not (tmp_path / "case.tar.gz.partial").exists()


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    """The directory beside the output is a bundle in itself, and the next run starts from it."""
    bundle, manifest = received(tmp_path, stream(("x", b"content"), end="io"))
    bundle.save(manifest, now=True)
    again = Bundle(str(tmp_path / "case.tar.gz")).open()
    assert again is not None
    assert again.nodes["n1"].steps["uname"].status is Status.OK


def test_an_output_that_cannot_be_written(tmp_path: Path) -> None:
    """Told before anything is asked of a node."""
    with pytest.raises(OutputError, match="cannot be written"):
        collect(Order(str(tmp_path / "no" / "case.tar.gz"), parse(["nowhere.invalid"]), Window(0, 1), only=FEW))


@pytest.mark.parametrize("name", ["case", "case.zip", ".tar.gz", "case.gz"])
def test_names_of_outputs(name: str) -> None:
    """The suffix says how it is packed."""
    with pytest.raises(UsageError, match="no name for a bundle"):
        suffix_of(name)


def test_nodes_as_people_write_them(tmp_path: Path) -> None:
    """Commas, blanks, users, addresses, and a file with remarks."""
    found = parse(["db1,db2 root@db3", "db4=admin@192.0.2.4"])
    assert [(each.name, each.destination) for each in found] == [
        ("db1", "db1"),
        ("db2", "db2"),
        ("db3", "root@db3"),
        ("db4", "admin@192.0.2.4"),
    ]
    (tmp_path / "nodes").write_text("# ours\ndb1\ndb2 # the second\n")
    assert [each.name for each in from_file(str(tmp_path / "nodes"))] == ["db1", "db2"]


@pytest.mark.parametrize("words", ["-oProxyCommand=x", "a/b", "db1,db1", "db1=-x"])
def test_names_that_are_none(words: str, tmp_path: Path) -> None:
    """Nothing that ssh could take for an option, and no node twice."""
    from hadiag.collect.ssh import Remote, SshOptions

    def remotes() -> list[Remote]:
        return [Remote(spec.destination, SshOptions()) for spec in parse([words])]

    with pytest.raises(UsageError):
        remotes()
