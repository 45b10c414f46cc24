"""Scores of a model on prepared data with bootstrap intervals: what is kept of each sequence or window, by kind."""
