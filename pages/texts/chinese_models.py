"""Chinese: the page of models, and what each set of weights is for and under which terms."""

from __future__ import annotations

MODELS: dict[str, str] = {
    "Models": "模型",
    "Back to the picture": "返回画面",
    "Neural engines need weights. Nothing is downloaded unless you ask for it here or on the command line.": (
        "神经网络引擎需要权重。只有在此处或命令行中提出要求时才会下载。"
    ),
    "Folder": "文件夹",
    "Disk": "磁盘",
    "Hub": "来源",
    "{free} free; all that is missing needs {missing}": "可用 {free}；全部缺少的权重需要 {missing}",
    "{hub} (mirror, set by HF_ENDPOINT)": "{hub}（镜像，由 HF_ENDPOINT 设置）",
    "Downloads are switched off by HF_HUB_OFFLINE; unset it and start the app again.": (
        "HF_HUB_OFFLINE 已关闭下载；请取消该设置后重新启动应用。"
    ),
    "Used by: {engines}": "使用者：{engines}",
    "No engine of this version uses it yet.": "此版本尚无引擎使用它。",
    "masks from prompts": "由提示得到遮罩",
    "masks through the clip": "贯穿片段的遮罩",
    "soft alpha": "柔和的 Alpha",
    "points through the clip": "贯穿片段的跟踪点",
    # one set
    "not downloaded": "未下载",
    "partly downloaded": "已下载一部分",
    "ready": "就绪",
    "{state}: {held} of {size}": "{state}：{held}，共 {size}",
    "Checked: every file is what was downloaded.": "已校验：所有文件与下载时一致。",
    "Somebody put these files there by hand; there is no hash to compare them with.": "这些文件是手动放入的，没有可供比对的哈希值。",
    "There is no room for it: {needed} is still to come.": "磁盘空间不足：还需下载 {needed}。",
    "Not for commercial use": "不可用于商业用途",
    "Download": "下载",
    "Go on": "继续",
    "Verify": "校验",
    "Downloading": "正在下载",
    "Checking": "正在校验",
    "Stopping …": "正在停止…",
    "Waits for what was asked for before.": "等待先前的操作完成。",
    "Remove {title}?": "移除 {title}？",
    "{size} is freed. Engines cannot use it until it is downloaded again.": "将释放 {size}。重新下载之前，引擎无法使用它。",
    "Its authors ask you to log in and accept their terms on the hub first:": "作者要求先在来源网站登录并接受其条款：",
    "Then run, on this machine:": "然后在本机运行：",
    "Terms of {title}": "{title} 的使用条款",
    "Read the whole licence at {page}": "完整许可见 {page}",
    "{size} will be downloaded.": "将下载 {size}。",
    "Accept and download": "接受并下载",
    # terms
    "Free for any use, commercial use included.": "可自由用于任何用途，包括商业用途。",
    "Not for commercial use: results must not be part of paid work unless its authors agree in writing.": (
        "不可用于商业用途：未经作者书面同意，成品不得用于有偿工作。"
    ),
    "Not for commercial use: results must not be part of paid work.": "不可用于商业用途：成品不得用于有偿工作。",
    "Commercial use is allowed; some uses are forbidden (military, weapons and others): read the licence.": (
        "允许商业用途；禁止某些用途（军事、武器等）：请阅读许可。"
    ),
    "Free below a yearly revenue of one million US dollars; above that a licence of Stability AI is needed.": (
        "年收入低于一百万美元可免费使用；超过则需要 Stability AI 的许可。"
    ),
    # what they are for
    "Masks from clicks and boxes, and masks carried through the clip.": "由点击和框选得到遮罩，并将遮罩带到整个片段。",
    "Masks of everything that a word names, masks from clicks, and masks through the clip.": (
        "由文字得到所有对应对象的遮罩，也可由点击得到遮罩，并带到整个片段。"
    ),
    "Soft alpha of people, hair included, from the masks of the keyframes.": "由关键帧的遮罩得到人物的柔和 Alpha，包括头发。",
    "Soft alpha from the masks of all frames, by video diffusion; wants a GPU.": (
        "用视频扩散模型由所有帧的遮罩得到柔和的 Alpha；最好有 GPU。"
    ),
    "Points followed through the clip.": "在整个片段中跟踪点。",
    "Smallest and fastest; for machines without a GPU.": "最小、最快；适合没有 GPU 的机器。",
    "Fast, also without a GPU.": "速度快，没有 GPU 也可使用。",
    "A little finer than tiny.": "比 tiny 稍精细。",
    "The default: good masks at a good speed.": "默认选择：遮罩好，速度也好。",
    "The finest masks; wants a GPU.": "遮罩最精细；最好有 GPU。",
    "Takes words as well as clicks; wants a GPU.": "支持文字和点击；最好有 GPU。",
    "The first version.": "第一版。",
    "The second version: finer edges, steadier in hard shots.": "第二版：边缘更精细，在困难镜头中更稳定。",
    "The network itself; it needs the image codec below, too.": "网络本身；还需要下方的图像编解码器。",
    "The image codec that VideoMaMa needs.": "VideoMaMa 所需的图像编解码器。",
    "For clips of any length.": "适合任意长度的片段。",
    "More exact on short clips; its memory grows with their length.": "短片段更精确；内存随长度增长。",
}
