"""Training: options, callbacks, the run itself, the checkpoint that it ends with."""
