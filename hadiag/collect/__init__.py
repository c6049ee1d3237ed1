"""Gathers what a diagnosis needs from live nodes, over the system's own ssh, with nothing installed there.

Only the standard library is imported, so that the command starts at once.
"""
