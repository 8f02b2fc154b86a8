"""Download the weights of neural engines: `run.py models download` under a name that is easy to find.

As in `python scripts/download_models.py --sam2`, or `--all --verify --accept-licence`.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    """Run the command with the switches that were given; return its exit code."""
    try:
        from run import main as run
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed for {sys.executable}; run: ./start.sh setup", file=sys.stderr)
        return 1
    return run(["models", "download", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
