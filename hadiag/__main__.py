"""Entry point of the command line. ``--version`` answers before anything is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        from hadiag import __version__

        sys.stdout.write(f"hadiag {__version__}\n")
        return
    from hadiag.cli.app import run

    run()


if __name__ == "__main__":
    main()
