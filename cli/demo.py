"""Command `demo`."""
def demo() -> None:
    """x."""
