"""Models by name: find, load, save and verify checkpoints, and render their cards."""
