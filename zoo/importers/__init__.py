"""Weights that others published, in their own formats, turned into ours."""
