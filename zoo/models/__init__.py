"""The architectures: the file's name is the architecture's name."""
