"""What ``hadiag collect`` is for, in one sentence: apart from the command, which imports what ``--help`` does not need."""

from __future__ import annotations

from typing import Final

SUMMARY: Final = "Gather logs, configuration and state from the nodes of a cluster, for hadiag analyze."
