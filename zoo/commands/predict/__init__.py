"""The verb predict."""
