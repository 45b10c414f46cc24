"""What models read: batches, files and DataModules, one file for each kind of output."""
