"""Evaluate a model on labelled data: scores of its kind, with bootstrap intervals."""
