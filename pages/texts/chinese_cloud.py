"""Chinese: the cloud."""

from __future__ import annotations

CLOUD: dict[str, str] = {
    "Cloud": "云存储",
    "Everything that is delivered goes up; what is up already is not sent again.": (
        "上传全部已交付的内容；已上传的不会重复发送。"
    ),
    "Upload to {store}": "上传到 {store}",
    "Nothing is up yet.": "尚未上传任何内容。",
    "Copy the link to {name}": "复制 {name} 的链接",
    "A link that holds for ever": "永久有效的链接",
    "A link that is copied now holds for {hours} hours": "现在复制的链接在 {hours} 小时内有效",
    "The link is copied.": "链接已复制。",
    "Upload": "上传",
    "upload": "上传",
}
