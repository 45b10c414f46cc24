"""Utilities for every folder: atomic writing, cache, downloads, progress bars, processes, text files."""
