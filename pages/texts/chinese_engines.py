"""Chinese: engines with their parameters, and formats."""

from __future__ import annotations

ENGINES: dict[str, str] = {
    "GrabCut": "GrabCut",
    "Clicks, boxes, strokes or a rough mask to a mask; built in, no weights, any CPU.": (
        "由点击、框选、笔画或粗略遮罩得到遮罩；内置，无需权重，任何 CPU 均可。"
    ),
    "Detail": "细节",
    "Working pixels of a cut after the first click; more is finer and slower.": "首次点击之后每次切割的工作像素数；越大越精细，也越慢。",
    "px": "像素",
    "Smoothness": "平滑度",
    "More gives shorter, calmer edges; less follows thin parts and noise.": "越大边缘越短越平稳；越小越贴合细节和噪点。",
    "Threads": "线程",
    "Cuts that run side by side; the result does not depend on it.": "并行切割的数量；不影响结果。",
    "Optical flow with colour models": "光流与颜色模型",
    "Keyframe masks carried through the clip; built in, no weights, any CPU.": (
        "将关键帧遮罩带到整个片段；内置，无需权重，任何 CPU 均可。"
    ),
    "Quality": "质量",
    "'fast' works at two thirds of the size, for previews.": "“快速”以三分之二的尺寸工作，用于预览。",
    "best": "最佳",
    "fast": "快速",
    "Guided filter matting": "引导滤波抠像",
    "Guide masks to soft alpha; built in, no weights, any CPU.": "由引导遮罩得到柔和的 Alpha；内置，无需权重，任何 CPU 均可。",
    "Band": "边缘带",
    "How far outside the mask's edge alpha is unknown (half of it inside); 0 follows its uncertainty.": (
        "遮罩边缘以外多远的 Alpha 视为未知（内侧为其一半）；0 表示按其不确定程度。"
    ),
    "clean keeps to the mask's edge, tracked moves it to the picture's, auto decides by region.": (
        "“贴合遮罩”沿遮罩边缘，“贴合画面”将边缘移到画面的边缘，“自动”按区域决定。"
    ),
    "auto": "自动",
    "clean": "贴合遮罩",
    "tracked": "贴合画面",
    "Sharpness": "锐度",
    "Contrast of the soft edge; above 1 is harder, below 1 softer.": "柔和边缘的对比度；大于 1 更硬，小于 1 更软。",
    "Alpha, MP4": "Alpha，MP4",
    "The matte as grey H.264 that plays everywhere, within 0.7 % of the exact alpha; use it as a luma matte.": (
        "灰度 H.264 形式的遮片，处处可播放，与精确 Alpha 相差不超过 0.7 %；可作亮度遮片使用。"
    ),
    "Foreground, MP4": "前景，MP4",
    "The decontaminated colours with the sound, to go with alpha: H.264, or 10-bit HEVC for deeper sources.": (
        "去除背景污染的颜色及声音，与 Alpha 配合使用：H.264；位深更高的素材用 10 位 HEVC。"
    ),
    "ProRes 4444, QuickTime": "ProRes 4444，QuickTime",
    "Colours and alpha in one file for After Effects, Premiere, Resolve and Final Cut; uncompressed sound.": (
        "颜色与 Alpha 合为一个文件，用于 After Effects、Premiere、Resolve 和 Final Cut；声音不压缩。"
    ),
    "VP9 with alpha, WebM": "带 Alpha 的 VP9，WebM",
    "Transparent video for browsers: small, lossy, 8 bits, with sound.": "用于浏览器的透明视频：体积小，有损，8 位，带声音。",
    "PNG sequence": "PNG 序列",
    "Lossless RGBA pictures numbered by source frame; 16 bits where the source has more than 8.": (
        "按原片帧号编号的无损 RGBA 图像；素材超过 8 位时为 16 位。"
    ),
    "OpenEXR sequence": "OpenEXR 序列",
    "Half-float RGBA in linear light for Nuke, Fusion and Blender, numbered by source frame.": (
        "线性光半浮点 RGBA，用于 Nuke、Fusion 和 Blender，按原片帧号编号。"
    ),
    "How far around its expected place a lost point is looked for; 0 only looks at that place.": "在预期位置周围多远寻找丢失的点；0 表示只看该位置。",
    "Likeness with the query, against what is usual for the point, from which it counts as seen.": "与查询处的相似度（相对该点的通常水平）达到多少才算可见。",
    "Lucas-Kanade with patch memory": "带图块记忆的 Lucas-Kanade",
    "Points followed through the clip; built in, no weights, any CPU.": "在整个片段中跟踪点；内置，无需权重，任何 CPU 均可。",
    "Search": "搜索范围",
    "Visibility": "可见度",
}
