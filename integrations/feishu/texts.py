"""What cards say: English is the key."""

from __future__ import annotations

CHINESE = {
    "Started: {name}": "已开始：{name}",
    "Done: {name}": "已完成：{name}",
    "Failed: {name}": "已失败：{name}",
    "A test of SplazMatte": "SplazMatte 测试消息",
    "Cards about jobs will come here.": "任务的消息卡片将发送到这里。",
    "Session": "项目",
    "Kind": "类型",
    "Engines": "引擎",
    "Parameters": "参数",
    "Duration": "用时",
    "Frames": "帧数",
    "Error": "错误",
    "matting": "抠像",
    "tracking": "跟踪",
    "upload": "上传",
    "Open the session": "打开项目",
    "frame of the session": "项目中的一帧",
}


def translate(text: str, language: str) -> str:
    """Return `text` in that language, 'en' or 'zh'."""
    return CHINESE.get(text, text) if language == "zh" else text
