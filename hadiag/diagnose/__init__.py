"""From findings to a verdict: incidents, causal graph, ranked explanations, chain, impact."""

from hadiag.diagnose.unknown_messages import unknown_messages
from hadiag.diagnose.verdict import Material, diagnose

__all__ = ["Material", "diagnose", "unknown_messages"]
