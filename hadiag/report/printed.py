"""The report as PDF, printed by a Chromium that is installed on this machine."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from hadiag.errors import OutputError, UsageError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
TIMEOUT_S = 120
SWITCHES = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-pdf-header-footer",
)


def write_pdf(page: str, target: Path) -> None:
    """Print a page to a PDF file.

    Raises:
        UsageError: no browser is installed.
        OutputError: the browser did not print, or the file cannot be written.
    """
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise UsageError(
            f"A PDF needs an installed browser ({', '.join(BROWSERS)}). Write .html, and print it elsewhere."
        )
    with tempfile.TemporaryDirectory(prefix="hadiag-") as scratch:
        source, printed = Path(scratch) / "report.html", Path(scratch) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        reason = _print(browser, Path(scratch), source, printed)
        if not printed.is_file():
            raise OutputError(f"{browser} did not print the report: {reason}")
        _move(printed, target)


def _print(browser: str, scratch: Path, source: Path, printed: Path) -> str:
    """Run the browser; it works on a file of ours, with a new profile."""
    profile = f"--user-data-dir={scratch / 'profile'}"
    command = [browser, *SWITCHES, *_sandbox(), profile, f"--print-to-pdf={printed}", source.as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)  # noqa: S603 - argument list
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S} s"
    except OSError as error:
        return str(error)
    return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit status {done.returncode}"


def _sandbox() -> tuple[str, ...]:
    """Chromium refuses to run its sandbox as root, which is how containers run."""
    import os

    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()


def _move(printed: Path, target: Path) -> None:
    try:
        shutil.move(printed, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}.") from error
