"""Metrics of labels, tracks and contact maps."""
