"""``python -m hadiag.catalogue.check DIRECTORY...``: print every problem of event packs, for those who write them."""

from __future__ import annotations

import sys
from pathlib import Path

from hadiag.catalogue.lint import lint
from hadiag.catalogue.loader import read


def main(arguments: list[str]) -> int:
    """Check the directories; 1 if anything does not load, 0 if at most lint has remarks."""
    if not arguments:
        sys.stderr.write("usage: python -m hadiag.catalogue.check DIRECTORY...\n")
        return 2
    missing = [name for name in arguments if not Path(name).is_dir()]
    if missing:
        sys.stderr.write(f"no such directory: {', '.join(missing)}\n")
        return 2
    catalogue, problems = read([Path(name) for name in arguments], cache=False)
    remarks = lint(catalogue)
    for line in (*map(str, problems), *(f"{remark} (lint)" for remark in remarks)):
        sys.stdout.write(line + "\n")
    sys.stdout.write(
        f"{len(catalogue.types)} event types, {len(catalogue.patterns)} patterns, "
        f"{len(problems)} problems, {len(remarks)} remarks\n"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
