"""`zoo finetune`: a run of `zoo train` that begins with a checkpoint, whose options are chosen for it and the data."""
