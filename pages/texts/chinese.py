"""Chinese by English text, of everything that the app shows; messages of errors are in messages.py."""

from __future__ import annotations

from pages.texts.chinese_cloud import CLOUD
from pages.texts.chinese_cloud_delete import CLOUD_DELETE
from pages.texts.chinese_engines import ENGINES
from pages.texts.chinese_models import MODELS
from pages.texts.chinese_neural import NEURAL
from pages.texts.chinese_panels import PANELS
from pages.texts.chinese_portable import PORTABLE
from pages.texts.chinese_settings import SETTINGS
from pages.texts.chinese_stage import STAGE
from pages.texts.chinese_terms import TERMS
from pages.texts.chinese_tracking import TRACKING
from pages.texts.chinese_watch import WATCH

CHINESE: dict[str, str] = {
    **PANELS,
    **STAGE,
    **ENGINES,
    **NEURAL,
    **MODELS,
    **TRACKING,
    **TERMS,
    **SETTINGS,
    **PORTABLE,
    **CLOUD,
    **CLOUD_DELETE,
    **WATCH,
}
"""Terms: mask 遮罩, matte 抠像 (the work) and Alpha (the result), keyframe 关键帧, propagate 传播."""
