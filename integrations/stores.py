"""The store that the settings name."""

from __future__ import annotations

from integrations.cloud_settings import CloudSettings
from integrations.storage import Bucket


def open_bucket(settings: CloudSettings) -> Bucket:
    """Return the bucket that is set; asks nobody. A store's library loads when it is first opened."""
    if settings.backend == "oss":
        from integrations.oss import Oss

        return Oss(settings)
    from integrations.r2 import R2

    return R2(settings)
