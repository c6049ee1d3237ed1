"""Links inside a container: further names of members, resolved by path and never followed outside."""

from __future__ import annotations

import posixpath
from collections import defaultdict

_HOPS = 16
_LONGEST = 4096
_DEEPEST = 128


def clean(name: str) -> str | None:
    """Return a member's name without leading ``./``; None if it is absolute, leaves the container or is too long."""
    if name.startswith("/") or "\0" in name or len(name) > _LONGEST:
        return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if ".." in parts or len(parts) > _DEEPEST else "/".join(parts)


class Links:
    """Symbolic and hard links of one container, as far as they were seen."""

    def __init__(self) -> None:
        self._by_target: dict[str, list[str]] = defaultdict(list)
        self._symlinks: dict[str, str] = {}
        self.hard: dict[str, str] = {}
        """Target of each hard link."""

    def symbolic(self, name: str, target: str) -> str | None:
        """Take note of a symbolic link; returns the target inside the container, None if it leads outside."""
        if target.startswith("/") or len(target) > _LONGEST:
            return None
        inside = self._walk(posixpath.join(posixpath.dirname(name), target))
        if inside and inside != name and self._symlinks.get(name) != inside:
            self._symlinks[name] = inside
            self._by_target[inside].append(name)
        return inside

    def hard_link(self, name: str, target: str) -> str | None:
        """Take note of a hard link; its target is a name of the container."""
        inside = clean(target)
        if inside and inside != name and self.hard.get(name) != inside:
            self.hard[name] = inside
            self._by_target[inside].append(name)
        return inside

    def _walk(self, path: str) -> str | None:
        """Resolve ``..`` and the links to directories that are known."""
        hops = 0
        done: list[str] = []
        todo = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        while todo:
            part = todo.pop()
            if part == "..":
                if not done:
                    return None
                done.pop()
                continue
            done.append(part)
            target = self._symlinks.get("/".join(done)) if todo else None
            if target:
                hops += 1
                if hops > _HOPS:
                    return None
                done = target.split("/")
        return "/".join(done)

    def aliases(self, path: str) -> tuple[str, ...]:
        """Return all names that lead to a member, in the order of their links."""
        if path not in self._by_target:
            return ()
        found: dict[str, None] = {}
        todo = [path]
        while todo:
            for name in self._by_target.get(todo.pop(0), ()):
                if name != path and name not in found:
                    found[name] = None
                    todo.append(name)
        return tuple(found)
