"""Metrics of each kind of output."""
