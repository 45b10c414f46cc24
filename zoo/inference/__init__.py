"""Predictions of each kind of output."""
