"""One timeline from the logs of all nodes: who is who, what time it was, what is a copy, and what the logs cover.

``build`` takes the raw events of all logs, the summaries of the files and the facts of the snapshots, and returns a
``Timeline`` whose events stand in the order of one clock, each with the uncertainty of its instant. ``wall_clocks`` gives the
clocks of files alone.
"""

from __future__ import annotations

from hadiag.timeline.build import build, wall_clocks
from hadiag.timeline.files import LogFile
from hadiag.timeline.identity import NodeIdentity
from hadiag.timeline.timeline import Timeline

__all__ = ["LogFile", "NodeIdentity", "Timeline", "build", "wall_clocks"]
