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
    "Of matrix products; auto is bf16 on CUDA GPUs and CPUs that have it, fp32 elsewhere.": "矩阵乘法的精度；“自动”在支持 bf16 的 CUDA GPU 和 CPU 上为 bf16，其他为 fp32。",
    "Batch size": "每批帧数",
    "Clicks, a box, a rough mask or a text, as 'person', to a mask, by Segment Anything 3.": "由点击、框选、粗略遮罩或文字（如“person”）得到遮罩，使用 Segment Anything 3。",
    "Diameter by which a keyframe's mask grows first.": "关键帧遮罩先扩大的直径。",
    "Diameter by which a keyframe's mask shrinks, after it has grown.": "关键帧遮罩扩大之后再收缩的直径。",
    "Dilate": "扩大",
    "Erode": "收缩",
    "Frames in which neighbouring windows fade into each other, at most half of one.": "相邻窗口相互渐变的帧数，最多为窗口的一半。",
    "Frames that the network sees together; more is steadier and takes more memory.": "网络一次看到的帧数；越多越稳定，占用内存也越多。",
    "Guide masks of every frame to fine alpha, by a video diffusion network; wants a GPU.": "由每帧的引导遮罩得到精细的 Alpha，使用视频扩散网络；需要 GPU。",
    "Keyframe masks carried through the clip by the memory of Segment Anything 3.": "由 Segment Anything 3 的记忆将关键帧遮罩带到整个片段。",
    "Keyframe masks to hair-fine, steady alpha, carried through the clip both ways; not for commercial use.": "由关键帧遮罩得到发丝级、稳定的 Alpha，双向贯穿整个片段；不可商用。",
    "Long side of the network's pictures; it was trained at 1024, and alpha is brought back to the frame's size.": "网络所用画面的长边；网络以 1024 训练，Alpha 会还原到画面尺寸。",
    "MatAnyone": "MatAnyone",
    "Max size": "最大尺寸",
    "Of the network's noise: the same number gives the same alpha.": "网络噪声的种子：相同的数字得到相同的 Alpha。",
    "Overlap": "重叠",
    "SAM 3": "SAM 3",
    "Score that what a text finds has to exceed; lower finds more, and more that is wrong.": "文字搜索结果须超过的分数；越低找到的越多，错误也越多。",
    "Seed": "随机种子",
    "Short side that the network works at at most, alpha then taking the picture's edges; 0 is the clip's.": "网络工作画面短边的上限，Alpha 随后贴合画面边缘；0 表示片段本身的尺寸。",
    "Size": "尺寸",
    "Threshold": "阈值",
    "Times that a keyframe's alpha is refined before the clip goes on.": "继续处理片段之前，关键帧 Alpha 的细化次数。",
    "VideoMaMa": "VideoMaMa",
    "Warmup": "预热",
    "auto is fp16 on CUDA GPUs, as its weights are; bf16 on CPUs that compute in it; fp32 elsewhere.": "“自动”在 CUDA GPU 上为 fp16（与权重一致），在支持的 CPU 上为 bf16，其他情况为 fp32。",
    "matanyone2 has finer edges in real footage; matanyone is the first version.": "matanyone2 在实拍素材上边缘更精细；matanyone 是第一版。",
    "CoTracker 3": "CoTracker 3",
    "Points followed through the clip, all together, also while they are hidden.": "在整个片段中一起跟踪所有点，被遮挡时也继续。",
    "online works through 16 frames at a time, offline sees 60 at once and takes more memory.": "在线模型每次处理 16 帧，离线模型一次看到 60 帧，占用内存更多。",
    "Grid": "网格",
    "Points per side of a regular grid that is followed beside the points, to tell how the picture moves.": "与各点一同跟踪的规则网格每边的点数，用来了解画面如何运动。",
    "Where it computes; auto is CUDA, then the CPU, as Apple's GPUs lack an operation.": "在何处计算；“自动”依次为 CUDA、CPU，因为苹果 GPU 缺少一种运算。",
    "Of matrix products; auto is fp32, bf16 is faster and some hundredths of a pixel off.": "矩阵乘法的精度；“自动”为 fp32，bf16 更快，误差为百分之几像素。",
}
