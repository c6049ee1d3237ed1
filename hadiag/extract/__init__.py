"""Extraction: from the lines of a log to raw events.

``extract_log`` reads one log; ``explain_line`` tells what a single line is.
"""

from hadiag.extract.explain import LineExplanation, explain_line
from hadiag.extract.extractor import LogExtract, extract_log
from hadiag.extract.unknowns import UnknownTemplate

__all__ = ["LineExplanation", "LogExtract", "UnknownTemplate", "explain_line", "extract_log"]
