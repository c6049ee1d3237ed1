"""A page in the browser, and everything it complained about or asked for."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

AXE = resources.files("axe_playwright_python") / "axe.min.js"
"""The accessibility checker, from an installed package."""

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

THIN = """document.querySelectorAll(
  '.all-quotes > li:nth-child(n+8), tbody tr:nth-child(n+8), .quotes .quote:nth-child(n+4), .answers > li:nth-child(n+6)'
).forEach((e) => e.remove())"""
"""Takes away what repeats: elements like those before them cost the checker time, and show it nothing new."""


class Opened:
    """A page that was opened; ``trouble`` holds errors, refusals of the policy, dialogs, and requests beside the page itself."""

    def __init__(self, page: Page, address: Path | str) -> None:
        """Open a file, or an address."""
        self.page = page
        self.trouble: list[str] = []
        self.own = address.as_uri() if isinstance(address, Path) else address
        page.on("console", lambda message: self._note(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", self._dialog)
        page.goto(self.own)

    def _note(self, what: str) -> None:
        self.trouble.append(what)

    def _dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, url: str) -> None:
        if url.partition("#")[0] != self.own.partition("#")[0] and not url.startswith("data:"):
            self.trouble.append(f"request: {url}")

    def ready(self) -> Page:
        """Wait until the interactive timeline has been drawn and its table filled."""
        self.page.locator("#lanes[data-ready]").wait_for()
        self.page.locator("#lanes tbody tr").first.wait_for()
        return self.page

    def status(self) -> str:
        """What the timeline says of its window, once it has settled."""
        self.page.wait_for_timeout(400)
        return self.page.locator("#lanes [role=status]").inner_text()

    def violations(self) -> list[str]:
        """What the accessibility checker finds, one line for each element; of long lists their beginning is enough."""
        self.page.evaluate(THIN)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: Any = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", RULES
        )
        return [
            f"{row['id']}: {node['html'][:200]} {node['failureSummary']}"
            for row in found["violations"]
            for node in row["nodes"]
        ]
