"""Models by name: registry, checkpoints, cards."""
