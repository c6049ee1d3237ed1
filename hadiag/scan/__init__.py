"""The scan of raw blocks: which lines matter, and what the stamps of all lines say."""
