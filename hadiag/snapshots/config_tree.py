"""A CIB put together from a textual configuration, so that one reader serves XML, crm and pcs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lxml import etree

from hadiag.model.fact import Fact
from hadiag.snapshots.base import Source
from hadiag.snapshots.cib import configuration_facts

MOST = 20_000
"""Elements that one configuration may have."""

_BAD = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


def plain(text: str) -> str:
    """A text without characters that XML cannot hold."""
    return text.translate(_BAD)


class ConfigTree:
    """Builds ``<cib><configuration>`` element by element; every element remembers its line."""

    def __init__(self) -> None:
        self.root = etree.Element("cib")
        self._configuration = etree.SubElement(self.root, "configuration")
        self._sections: dict[str, etree._Element] = {}
        self._count = 0

    def section(self, path: str) -> etree._Element:
        """A section such as ``resources`` or ``crm_config/cluster_property_set``."""
        if path not in self._sections:
            parent, _, name = path.rpartition("/")
            above = self.section(parent) if parent else self._configuration
            self._sections[path] = etree.SubElement(above, name)
        return self._sections[path]

    def add(self, parent: etree._Element, tag: str, line: int, attributes: Mapping[str, str | None]) -> etree._Element:
        """Add an element.

        Raises:
            ValueError: the configuration is too large.
        """
        self._count += 1
        if self._count > MOST:
            raise ValueError("more elements than a configuration has")
        element = etree.SubElement(parent, tag)
        for name, value in attributes.items():
            if value is not None:
                element.set(name, plain(value))
        element.sourceline = line  # type: ignore[misc]  # the stubs call it read-only
        return element

    def pair(self, parent: etree._Element, block: str, name: str, value: str, line: int) -> None:
        """Add a name and its value to a block such as ``instance_attributes``."""
        found = parent.find(block)
        if found is None:
            found = self.add(parent, block, line, {})
        self.add(found, "nvpair", line, {"name": name, "value": value})

    def facts(self, source: Source, lines: Sequence[str]) -> Iterator[Fact]:
        """The facts of the tree, each with the text of its line."""
        for fact in configuration_facts(source, self.root):
            number = fact.line - source.before
            text = lines[number - 1].strip()[:400] if 0 < number <= len(lines) else fact.text
            yield replace(fact, text=text)
