"""Exports of the timeline: JSON Lines, CSV."""
