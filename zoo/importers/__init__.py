"""Convert published weights from their original formats to the format of zoo."""
