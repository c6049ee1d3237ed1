"""Load rule packs: from the cache where they are known, else from their files; all problems are reported at once.

A pack is a directory with ``pack.yaml`` (optional for a private pack) and ``findings/``, ``causes/``, ``audits/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hadiag.errors import RulesError
from hadiag.rulelang import store
from hadiag.rulelang.ruleset import CatalogueInfo, RuleSet


def load_rules(directories: Sequence[Path], catalogue: CatalogueInfo | None = None, *, cache: bool = True) -> RuleSet:
    """Load all packs.

    Args:
        directories: pack directories, the built-in one first.
        catalogue: the event catalogue, against which event types and their fields are checked; without one they are not.
        cache: use and write the cache of what loaded without problems.

    Raises:
        RulesError: with one line ``file:line: key: what was expected`` for each problem.
    """
    key = store.key(directories, catalogue) if cache else None
    known = store.recall(key, catalogue) if key else None
    if known is not None:
        return known
    rule_set, problems = read_rules(directories, catalogue)
    if problems:
        raise RulesError(problems)
    if key:
        store.remember(key, rule_set)
    return rule_set


def read_rules(directories: Sequence[Path], catalogue: CatalogueInfo | None = None) -> tuple[RuleSet, tuple[str, ...]]:
    """Load what can be loaded, and list the problems; for tools that help to write rules."""
    # pydantic and YAML are needed only when the packs are new.
    from hadiag.rulelang.reading import read_packs

    return read_packs(directories, catalogue)
