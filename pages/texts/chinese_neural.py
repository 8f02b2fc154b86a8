"""Chinese: the neural engines with their parameters."""

from __future__ import annotations

NEURAL: dict[str, str] = {
    "SAM 2.1": "SAM 2.1",
    "Clicks, a box or a rough mask to a mask, by Segment Anything 2.1; strokes are painted as they are.": (
        "用 Segment Anything 2.1 由点击、框选或粗略遮罩得到遮罩；笔画按原样绘制。"
    ),
    "Keyframe masks carried through the clip by the memory of Segment Anything 2.1.": (
        "用 Segment Anything 2.1 的记忆将关键帧遮罩带到整个片段。"
    ),
    "Model": "模型",
    "Larger is finer and slower; edgetam is the smallest.": "越大越精细，也越慢；edgetam 最小。",
    "Device": "设备",
    "Where it computes; auto is CUDA, then MPS, then the CPU.": "在何处计算；“自动”依次为 CUDA、MPS、CPU。",
    "Precision": "精度",
    "Of matrix products; auto is bf16 on CUDA GPUs and fp32 elsewhere.": "矩阵乘法的精度；“自动”在 CUDA GPU 上为 bf16，其他为 fp32。",
}
