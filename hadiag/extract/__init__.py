"""Extraction: from the lines of a log to raw events.

``extract_log`` reads one log; ``explain_line`` tells what a single line is; ``take_census`` counts how much is known;
``LineSearch`` looks for any pattern.
"""

from hadiag.extract.census import Census, Tally, take_census
from hadiag.extract.explain import LineExplanation, explain_line
from hadiag.extract.extractor import LogExtract, extract_log
from hadiag.extract.search import FOUND, LineSearch
from hadiag.extract.surroundings import Surroundings
from hadiag.extract.unknowns import UnknownTemplate

__all__ = [
    "FOUND",
    "Census",
    "LineExplanation",
    "LineSearch",
    "LogExtract",
    "Surroundings",
    "Tally",
    "UnknownTemplate",
    "explain_line",
    "extract_log",
    "take_census",
]
