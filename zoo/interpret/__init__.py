"""What a model makes of a sequence: in-silico mutagenesis, by computing only what a changed base reaches."""
