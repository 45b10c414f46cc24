"""Sequences, intervals, contigs and FASTA files."""
