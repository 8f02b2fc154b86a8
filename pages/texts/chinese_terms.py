"""Chinese of what is about terms of use and of how results were made."""

from __future__ import annotations

TERMS = {
    "For commercial use": "用于商业用途",
    "Leaves out engines whose weights or code forbid commercial use, and refuses what they have made.": (
        "不使用权重或代码禁止商用的引擎，并拒绝交付由它们生成的内容。"
    ),
    "commercial use": "商业用途",
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
