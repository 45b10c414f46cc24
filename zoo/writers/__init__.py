"""Writers of predictions of each kind of output."""
