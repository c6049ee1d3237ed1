"""Entry point of the command line. ``--version`` and ``collect`` start before anything heavy is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        from hadiag import __version__

        sys.stdout.write(f"hadiag {__version__}\n")
        return
    if sys.argv[1:2] == ["collect"]:
        from hadiag.cli.collect import main as collect

        sys.exit(collect(sys.argv[2:]))
    from hadiag.cli.app import run

    run()


if __name__ == "__main__":
    main()
