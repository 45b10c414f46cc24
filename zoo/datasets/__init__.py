"""Named public data sets: url, sha256, and how they become a DataModule's input."""
