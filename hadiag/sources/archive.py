"""Walk through an input: archives, archives in archives, directories, compressed and plain files.

Nothing is unpacked to disk. A container is read once from front to back; so that places are known from the first
artefact on, the walker looks at the first 16 MiB of it (all headers of a plain tar file, all names of a directory)
before, and keeps those bytes for the reading proper.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hadiag.model.frozen import record
from hadiag.model.source import Artifact, ArtifactRole, BundleId, BundleKind
from hadiag.sources import journal
from hadiag.sources.base import (
    Budget,
    Capped,
    Container,
    Entry,
    EntryType,
    Flow,
    Part,
    Problem,
    Replay,
    WarnLog,
    stream_of,
)
from hadiag.sources.decode import FileFlow, decoded, decoded_file
from hadiag.sources.detect import HEAD, Content, compression, content, is_journal_text, promises_archive
from hadiag.sources.directory import DirectoryReader, OnDisk
from hadiag.sources.layout import Layout, Place
from hadiag.sources.links import clean
from hadiag.sources.supportconfig import SectionReader, has_sections, is_cut_out
from hadiag.sources.tar import TarReader
from hadiag.sources.zipfiles import ZipReader

PREVIEW = 16 << 20
"""Bytes of a container that are looked at before its first artefact."""
_FURTHER = 512 << 20
"""Bytes that are decoded once more when the name of a host stands further back."""
_WANTED = 1 << 16

Artifacts = Generator[Artifact, None, BundleKind]
"""Artefacts, and at last the kind of what they came from."""
Kind = Generator[Artifact, None, BundleKind | None]
"""The same, for what may be no bundle."""


@dataclass(slots=True)
class Found:
    """What a walk notes beside the artefacts."""

    warnings: WarnLog = field(default_factory=WarnLog)
    nodes: set[str] = field(default_factory=set)
    mtimes: list[int] = field(default_factory=list)
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """All aliases of artefacts whose links came after them."""
    empty: bool = True


@record
class _Member:
    """A member on its way to an artefact."""

    path: str
    place: Place
    size: int | None
    mtime: int | None
    aliases: tuple[str, ...] = ()


@record
class _Inside:
    """The container that is being walked through.

    ``complete`` says that the layout has seen all of it, ``given`` are its files so far, with the aliases told.
    """

    layout: Layout
    prefix: str
    depth: int
    where: str
    complete: bool
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    copies: Counter[str] = field(default_factory=Counter)


class Walker:
    """Makes artefacts of one input."""

    def __init__(self, bundle: BundleId, name: str, budget: Budget, found: Found) -> None:
        self.found = found
        self.budget = budget
        self._bundle = bundle
        self._name = name

    def directory(self, root: Path, on_bytes: Callable[[int], None] | None) -> Artifacts:
        """Walk a directory of the file system."""
        layout = Layout(None)
        self._scan(DirectoryReader(root), layout, lambda: False)
        inside = _Inside(layout, "", 0, self._name, complete=True)
        return (yield from self._members(DirectoryReader(root, on_bytes), inside))

    def container(
        self,
        what: Content,
        flow: Flow,
        member: _Member | None = None,
        depth: int = 0,
        reopen: Callable[[], Flow] | None = None,
    ) -> Artifacts:
        """Walk an archive. ``reopen`` gives its bytes from the start once more, where that is possible."""
        layout = Layout(member.place if member else None)
        flow, complete = self._preview(what, flow, layout, reopen)
        prefix, where = (f"{member.path}!", member.path) if member else ("", self._name)
        return (yield from self._members(self._reader(what, flow), _Inside(layout, prefix, depth, where, complete)))

    def _reader(self, what: Content, flow: Flow) -> Container:
        return TarReader(flow) if what is Content.TAR else ZipReader(flow, self.budget)

    def _preview(
        self, what: Content, flow: Flow, layout: Layout, reopen: Callable[[], Flow] | None
    ) -> tuple[Flow, bool]:
        """Let the layout see what is cheap to see; returns the flow from its start and whether that was all."""
        if what is Content.TAR and isinstance(flow, FileFlow) and flow.size is not None:
            complete = self._scan(TarReader(flow), layout, lambda: False)
            flow.rewind()
            return flow, complete
        head = flow.exactly(PREVIEW)
        complete = self._scan(self._reader(what, Replay(head)), layout, lambda: False) and len(head) < PREVIEW
        if len(head) == PREVIEW and layout.host_unknown and reopen:
            again = reopen()
            self._scan(self._reader(what, Part(again, _FURTHER)), layout, lambda: not layout.host_unknown)
            again.close()
        return Replay(head, flow), complete

    def _scan(self, reader: Container, layout: Layout, enough: Callable[[], bool]) -> bool:
        """Show a layout the members of a container; True if it saw all of them."""
        for count, entry in enumerate(reader):
            name = layout.see(entry)
            if name and entry.type is EntryType.FILE and layout.wants(name):
                layout.learn(name, entry.flow.exactly(_WANTED))
            if count > self.budget.limits.members or enough():
                return False
        return True

    def _members(self, reader: Container, inside: _Inside) -> Artifacts:
        layout = inside.layout
        for entry in reader:
            if not self.budget.member():
                break
            name = clean(entry.name) if inside.complete else layout.see(entry)
            if name is None:
                self._unsafe(
                    f"the name of the member {entry.name!r} is absolute, leads out of the archive or is too long",
                    inside,
                )
            elif name and entry.type is EntryType.FILE:
                self.found.empty = False
                yield from self._file(entry, name, inside)
            elif name:
                yield from self._no_file(entry, name, inside)
            if self.budget.stopped:
                break
        for problem in (*reader.problems, *filter(None, [self.budget.stopped])):
            self.found.warnings.report(problem, inside.where)
        self._finish_links(inside)
        return layout.kind

    def _unsafe(self, text: str, inside: _Inside) -> None:
        self.found.warnings.add("archive-unsafe-name", f"{text}; it was not read", inside.where)

    def _no_file(self, entry: Entry, name: str, inside: _Inside) -> Iterator[Artifact]:
        """Handle a link or a special file. The target of ``etc/localtime`` names the time zone."""
        if entry.type is EntryType.SPECIAL:
            self._unsafe(f"{name} is a device, fifo or socket", inside)
        elif entry.type is EntryType.HARDLINK and name not in inside.layout.links.hard:
            self._unsafe(f"the hard link {name} leads to {entry.target!r}, out of the archive", inside)
        elif entry.type is EntryType.SYMLINK and name.endswith("etc/localtime") and "zoneinfo/" in entry.target:
            text = f"{entry.target}\n".encode("utf-8", "surrogateescape")
            member = _Member(inside.prefix + name, inside.layout.place(name), len(text), entry.mtime)
            yield from self._artifact(member, Replay(text))

    def _finish_links(self, inside: _Inside) -> None:
        links, prefix = inside.layout.links, inside.prefix
        for name, before in inside.given.items():
            aliases = links.aliases(name)
            if len(aliases) > len(before):
                self.found.aliases[prefix + name] = tuple(prefix + alias for alias in aliases)
        for name, target in links.hard.items():
            if target not in inside.given and target not in links.hard and not self.budget.stopped:
                text = f"the hard link {name} leads to {target}, which is not in the archive"
                self.found.warnings.add("archive-link-missing", text, inside.where)

    def _file(self, entry: Entry, name: str, inside: _Inside) -> Iterator[Artifact]:
        layout, prefix = inside.layout, inside.prefix
        inside.copies[name] += 1
        unique = f"{name} ({inside.copies[name]})" if inside.copies[name] > 1 else name
        aliases = inside.given[unique] = layout.links.aliases(name)
        if entry.mtime:
            self.found.mtimes.append(entry.mtime)
        flow = entry.flow
        if not inside.complete and layout.wants(name):
            head = flow.exactly(_WANTED)
            layout.learn(name, head)
            flow = Replay(head, flow)
        place = layout.place(name)
        member = _Member(prefix + unique, place, entry.size, entry.mtime, tuple(prefix + alias for alias in aliases))
        if place.role is ArtifactRole.CANDIDATE:
            nested = yield from self.content(flow, member, inside.depth)
        else:
            nested = None
            yield from self._artifact(member, Replay(b"") if place.role is ArtifactRole.OPAQUE else flow)
        layout.note(nested)

    def content(self, flow: Flow, member: _Member, depth: int) -> Kind:
        """Make artefacts of a candidate by what its bytes are; returns the kind of an archive inside."""
        unpacked = self._unpack(flow, member)
        if unpacked is None:
            return None
        inner, head, packed = unpacked
        if packed:
            member = replace(member, size=None)
        what = content(head)
        if what in {Content.TAR, Content.ZIP}:
            kind = yield from self._nested(what, inner, member, depth)
        elif what is Content.JOURNAL:
            kind = yield from self._journal(inner, member)
        elif what is Content.TEXT:
            kind = yield from self._text(inner, head, member)
        else:
            kind = yield from self._unread(what, member)
        if kind is None and inner.problem and not flow.problem:  # the container tells what is wrong with itself
            self.found.warnings.report(inner.problem, member.path)
        if packed:
            inner.close()
        return kind

    def _nested(self, what: Content, flow: Flow, member: _Member, depth: int) -> Kind:
        if depth < self.budget.limits.depth:
            return (yield from self.container(what, flow, member, depth + 1))
        text = f"a {what.name.lower()} archive deeper than {depth} archives in archives; it was not read"
        self.found.warnings.add("archive-limit", text, member.path)
        return None

    def _unread(self, what: Content, member: _Member) -> Kind:
        """Say why a file is not read; a binary file in a bundle is listed."""
        loose = member.place.kind is BundleKind.FILE
        if what is Content.ENCRYPTED:
            self.found.warnings.add("archive-encrypted", "the file is encrypted; decrypt it first", member.path)
        elif what is Content.FOREIGN:
            text = "an archive or compression that cannot be read; unpack it first"
            self.found.warnings.add("input-unrecognised" if loose else "nested-unreadable", text, member.path)
        elif what is Content.BINARY and promises_archive(member.path):
            text = "it does not begin like the archive that its name promises: damaged at its start, or encrypted"
            self.found.warnings.add("archive-damaged", text, member.path)
        elif loose:
            self.found.warnings.add("input-unrecognised", "the file is neither a bundle nor text", member.path)
        else:
            yield from self._artifact(
                replace(member, place=replace(member.place, role=ArtifactRole.OPAQUE)), Replay(b"")
            )
        return None

    def _unpack(self, flow: Flow, member: _Member) -> tuple[Flow, bytes, bool] | None:
        """Take off compression; returns the flow, the first bytes of it and whether there was any."""
        head = flow.exactly(HEAD)
        codec = compression(head)
        for layer in range(self.budget.limits.depth + 1):
            if not head and flow.problem:
                if layer:
                    self.found.warnings.report(flow.problem, member.path)
                return None
            if codec is None:
                return Replay(head, flow), head, layer > 0
            if layer == 0 and isinstance(flow, OnDisk):
                flow = decoded_file(flow.path, codec, self.budget)
            else:
                flow = decoded(Replay(head, flow), codec, self.budget)
            head = flow.exactly(HEAD)
            codec = compression(head)
        text = f"compressed more than {self.budget.limits.depth} times; it was not read"
        self.found.warnings.add("archive-limit", text, member.path)
        return None

    def _text(self, flow: Flow, head: bytes, member: _Member) -> Kind:
        """Make the artefact of a text file, or those of its sections."""
        kind = None
        capped = Capped(flow, self.budget.limits.member_bytes)
        if has_sections(head):
            for name, text in SectionReader(capped):
                section = replace(member, path=f"{member.path}#{name}", size=None, aliases=())
                if is_cut_out(name):
                    section = replace(section, place=replace(section.place, role=ArtifactRole.DERIVED))
                yield from self._artifact(section, text)
        else:
            if member.place.kind is BundleKind.FILE and is_journal_text(head):
                kind = BundleKind.JOURNAL
                member = replace(member, place=replace(member.place, kind=kind))
            yield from self._artifact(member, capped)
        if capped.problem and not flow.problem:
            self.found.warnings.report(capped.problem, member.path)
        return kind

    def _journal(self, flow: Flow, member: _Member) -> Kind:
        """Read a binary journal through journalctl."""
        kind = BundleKind.JOURNAL if member.place.kind is BundleKind.FILE else None
        place = replace(member.place, kind=kind or member.place.kind)
        with journal.opened(Capped(flow, self.budget.limits.member_bytes)) as entries:
            if isinstance(entries, Problem):
                self.found.warnings.report(entries, member.path)
                return kind
            capped = Capped(entries, self.budget.limits.member_bytes)
            yield from self._artifact(replace(member, size=None, place=place), capped)
            if capped.problem:
                self.found.warnings.report(capped.problem, member.path)
        return kind

    def _artifact(self, member: _Member, flow: Flow) -> Iterator[Artifact]:
        """Hand out one artefact; its stream is closed when the next is asked for, so that no late read goes wrong."""
        if member.place.node:
            self.found.nodes.add(member.place.node)
        with stream_of(flow) as stream:
            yield Artifact(
                bundle=self._bundle,
                path=member.path,
                kind=member.place.kind,
                role=member.place.role,
                node_hint=member.place.node,
                size=member.size,
                mtime=member.mtime,
                stream=stream,
                aliases=member.aliases,
            )

    def loose(self, flow: Flow, name: str, mtime: int | None) -> Artifacts:
        """Make the artefact of an input that is no archive."""
        head = flow.exactly(HEAD)
        if not head.strip(b"\0"):  # nothing, or an empty tar archive
            if flow.problem:
                self.found.warnings.report(flow.problem, name)
            return BundleKind.FILE
        self.found.empty = False
        if mtime:
            self.found.mtimes.append(mtime)
        flow = Replay(head, flow)
        member = _Member(name, Place(BundleKind.FILE, None, ArtifactRole.CANDIDATE), None, mtime)
        kind = yield from self.content(flow, member, 0)
        if flow.problem:
            self.found.warnings.report(flow.problem, name)
        return kind or BundleKind.FILE
