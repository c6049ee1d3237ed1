"""The event catalogue: ``rules/events`` as data, loaded, checked, and matched against messages.

``load`` reads packs into a ``Catalogue``; a ``Matcher`` tells the event type of a message; ``hadiag.catalogue.lint``
remarks on patterns that load but are slow, broad or shadowed. Models and JSON Schema are in ``hadiag.catalogue.schema``.
"""

from hadiag.catalogue.loader import load
from hadiag.catalogue.matcher import Matcher
from hadiag.catalogue.types import Catalogue, Derive, EventType, Match, Pattern, Problem, Sample

__all__ = [
    "Catalogue",
    "Derive",
    "EventType",
    "Match",
    "Matcher",
    "Pattern",
    "Problem",
    "Sample",
    "load",
]
