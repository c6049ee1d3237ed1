"""Renderings of a diagnosis: JSON (the public contract), HTML, Markdown and terminal text."""
