"""Bundles of ``hadiag collect``: whose directory is whose, as the manifest says.

::

    case/manifest.json          {"schema": "hadiag/collect/v1", "directories": {"db1": "db1"}, …
    case/db1/var/log/pacemaker/pacemaker.log
    case/db1/via/crm_report/…   a report of the node's own tool, laid out as that tool does
"""

from __future__ import annotations

import json
import re

_SCHEMA = re.compile(rb'"schema"\s*:\s*"hadiag/collect/')
_DIRECTORIES = re.compile(rb'"directories"\s*:\s*(\{[^{}]*\})')
_MANIFEST = "manifest.json"
_NESTED = "via"


class CollectTrees:
    """Bundles of ``hadiag collect`` in one container."""

    def __init__(self) -> None:
        self.found = False
        self._nodes: dict[str, str] = {}
        """Node of each directory."""

    def wants(self, path: str) -> bool:
        """Tell whether a member may be a manifest."""
        return path.rpartition("/")[2] == _MANIFEST

    def learn(self, path: str, data: bytes) -> None:
        """Read the head of a manifest; a damaged one may lack its end."""
        if not _SCHEMA.search(data):
            return
        self.found = True
        match = _DIRECTORIES.search(data)
        try:
            names = json.loads(match[1]) if match else {}
        except ValueError:
            return
        root = path.rpartition("/")[0]
        for folder, node in names.items():
            if isinstance(node, str) and node:
                self._nodes[f"{root}/{folder}" if root else folder] = node

    def locate(self, path: str) -> tuple[str, str] | None:
        """Return the directory and the node that a member stands in."""
        folder = path
        while self._nodes and folder:
            folder = folder.rpartition("/")[0]
            if folder in self._nodes:
                return folder, self._nodes[folder]
        return None

    def node(self, path: str) -> str | None:
        """Return the node that a member belongs to."""
        found = self.locate(path)
        return found[1] if found else None

    def own(self, path: str) -> bool:
        """Tell what was collected from a report of another tool inside."""
        found = self.locate(path)
        return found is not None and not path[len(found[0]) + 1 :].startswith(f"{_NESTED}/")
