"""Publish checkpoints on the Hugging Face Hub, and prove that what was published is what was meant."""
