"""Messages about files, folders and the shapes of pictures in Chinese."""

from __future__ import annotations

FILE_MESSAGES = {
    "the pixels' aspect ratio must be above 0, not {}": "像素宽高比须大于 0，而非 {0}",
}
