"""Sources: inputs of all kinds as a stream of artefacts, with what their places tell."""

from hadiag.sources.base import Limits
from hadiag.sources.inputs import Inputs, open_inputs

__all__ = ["Inputs", "Limits", "open_inputs"]
