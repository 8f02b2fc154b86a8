"""What the runners of all kinds of session share: facts of the source, its frames, progress."""
