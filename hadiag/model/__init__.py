"""Types that pass between the stages; plain Python, no dependencies."""
