"""The command line's commands: what `run.py` is made of. Heavy libraries load inside the commands that need them."""
