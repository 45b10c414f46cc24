"""`zoo tune`: the options of a run with which its validation metric is best."""
