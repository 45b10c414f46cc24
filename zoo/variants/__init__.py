"""Effects of variants: alleles of a file or pairs of sequences in, a score for each target out."""
