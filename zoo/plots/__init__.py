"""Pictures: training curves, tracks, contact maps."""
