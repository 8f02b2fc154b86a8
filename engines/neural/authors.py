"""Authors' sources that lie in `sdks/` on this disk: imported from there, and Python's path is left as it was.

They are not for commercial use and no part of this project: `just setup` puts them into `sdks/`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from errors import EngineUnavailableError
from machine import RECIPES


@contextmanager
def authors_package(sdks: Path, folder: str, package: str) -> Iterator[None]:
    """Make an authors' package importable within the block only.

    Args:
        sdks: the folder of all sources.
        folder: in it, of these sources.
        package: in that folder.

    Raises:
        EngineUnavailableError: it is not there, or it needs a package that is not installed.
    """
    place = sdks / folder
    if not (place / package / "__init__.py").is_file():
        raise EngineUnavailableError(f"the authors' sources are not in {place}; run: {RECIPES} setup")
    sys.path.insert(0, str(place))
    try:
        yield
    except ImportError as error:
        raise EngineUnavailableError(
            f"the authors' sources in {place} cannot be used ({error}); remove that folder, then run: {RECIPES} setup"
        ) from error
    finally:
        sys.path.remove(str(place))
