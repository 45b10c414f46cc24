"""Preflight: hold data, model and options of a run against each other before it starts, and list all problems."""
