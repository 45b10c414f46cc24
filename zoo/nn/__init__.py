"""Layers, contact-map layers and losses."""
