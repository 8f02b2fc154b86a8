"""Chinese of what is about terms of use and of how results were made."""

from __future__ import annotations

TERMS = {
    "For commercial use": "用于商业用途",
    "Leaves out engines whose weights or code forbid commercial use, and refuses what they have made.": (
        "不使用权重或代码禁止商用的引擎，并拒绝交付由它们生成的内容。"
    ),
    "commercial use": "商业用途",
    "How it was made": "生成方式",
    "How {name} was made": "{name}的生成方式",
    "An older version made it and took no notes; deliver it again.": "由旧版本生成，没有记录；请重新交付。",
    "Download the sidecar": "下载说明文件",
    "{source}, frames {first} to {last}": "{source}，第 {first} 至 {last} 帧",
    "{count} frames": "{count} 帧",
    "1 frame": "1 帧",
    "All licences allow commercial use.": "所有许可证均允许商业用途。",
}

TERMS_MESSAGES = {
    "'{}' is not for commercial use ({}), but this session is; choose another {}": (
        "“{0}”不可用于商业用途（{1}），而该项目用于商业用途；请换一个引擎（{2}）"
    ),
    "{} has a part in this, which is not for commercial use ({}); choose another engine and run it again": (
        "其中有 {0} 参与，它不可用于商业用途（{1}）；请换一个引擎后重新运行"
    ),
    "{} was made before its makers were noted; deliver it again for commercial use": (
        "{0} 生成时尚未记录所用引擎；商业用途请重新交付"
    ),
    "{} is not for commercial use ({}); deliver it again": "{0} 不可用于商业用途（{1}）；请重新交付",
}
