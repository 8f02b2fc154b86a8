"""Chinese: project files (工程文件; a session is 项目) and downloads of several sessions' results."""

from __future__ import annotations

PORTABLE: dict[str, str] = {
    "Choose all": "全选",
    "Choose none": "全不选",
    "Choose it …": "选择视频…",
    "Do without the project": "放弃该工程",
    "Download ({size})": "下载（{size}）",
    "Too much for one zip: choose fewer": "一个 zip 放不下：请少选一些",
    "Download several": "下载多个项目",
    "Download several …": "下载多个项目…",
    "Export project": "导出工程",
    "Export project …": "导出工程…",
    "Lossless alpha": "无损 Alpha",
    "No session has results yet: deliver first.": "还没有项目有结果：请先交付。",
    "One file with prompts, masks and settings, to go on with on another machine or in a newer version.": (
        "一个包含提示、遮罩与设置的文件，可在另一台机器或更新的版本中继续。"
    ),
    "One zip with the results that you choose, under the names of their videos.": (
        "将所选结果打包为一个 zip，按各自视频命名。"
    ),
    "Project {project} needs its video: {name} ({size})": "工程 {project} 需要其视频：{name}（{size}）",
    "Propagated masks": "传播的遮罩",
    "Source video": "源视频",
    "The project is imported": "工程已导入",
    "Without the video the file only names it: whoever imports it has to have the very same video.": (
        "不含视频时，文件只记录其名称：导入者须有完全相同的视频。"
    ),
}

PORTABLE_MESSAGES: dict[str, str] = {
    "that is no choice of results; choose some of 1 to {} sessions": "这不是有效的选择，请从 1 至 {0} 个项目中选择结果",
    "this is not the video '{}': it has {} bytes, not {}": "这不是视频“{0}”：大小为 {1} 字节，而非 {2}",
    "the project does not wait for its video any more; open its file again": "该工程已不再等待其视频，请重新打开工程文件",
    "{} could not be read ({})": "{0} 无法读取（{1}）",
    "{} was changed or removed while it was being read; try again when no job works on it": (
        "{0} 在读取时被更改或删除，请在没有任务处理它时重试"
    ),
    "{} is not delivered any more; deliver it again": "{0} 已不存在，请重新交付",
    "these results are more than {} files; choose fewer of them": "这些结果超过 {0} 个文件，请少选一些",
    "a bundle has results of 1 to {} sessions, not {}": "可打包 1 至 {0} 个项目的结果，而非 {1}",
    "session {} has delivered none of these formats": "项目 {0} 没有交付这些格式",
    "session {} has delivered nothing yet; deliver first: run.py run {}": "项目 {0} 尚未交付任何结果，请先交付",
    "the project file is damaged, or was changed by hand: {}": "工程文件已损坏，或被手动修改：{0}",
    "the source of session {} is gone; it cannot be exported": "项目 {0} 的源视频已不存在，无法导出",
    "the project needs what this version lacks: {}": "该工程需要此版本没有的内容：{0}",
    "a project file has at most {} files; leave propagated masks out": "工程文件最多包含 {0} 个文件，请不要包含传播的遮罩",
    "the project needs its source '{}' ({} bytes): give it, --source FILE": "该工程需要其源视频“{0}”（{1} 字节），请提供",
    "there is no file {}": "没有文件 {0}",
    "'{}' is not the project's source '{}': it has {} bytes, not {}": (
        "“{0}”不是该工程的源视频“{1}”：大小为 {2} 字节，而非 {3}"
    ),
    "there is no room for the project: it needs {} GB, and {} GB is free; free space or set SPLAZMATTE_WORKSPACE": (
        "空间不足以导入工程：需要 {0} GB，可用 {1} GB；请释放空间或设置 SPLAZMATTE_WORKSPACE"
    ),
    "'{}' is not the project's source '{}': its SHA-256 is {}…, not {}…": (
        "“{0}”不是该工程的源视频“{1}”：其 SHA-256 为 {2}…，而非 {3}…"
    ),
    "the project has its source inside; leave --source out": "该工程已包含其源视频，无需另行提供",
    "the project file is damaged: mask {} is not of {}x{}": "工程文件已损坏：遮罩 {0} 的尺寸不是 {1}x{2}",
    "the project's source is {}x{}, and not {}x{} as it says": "工程的源视频为 {0}x{1}，而非所述的 {2}x{3}",
    "the project file is damaged: raw_{}.npy is of other frames or points": "工程文件已损坏：raw_{0}.npy 的帧或点不符",
    "the project's source is no video that can be read here: {}": "工程的源视频在此无法读取：{0}",
    "the project file is damaged: raw_{}.npy is no array ({})": "工程文件已损坏：raw_{0}.npy 不是数组（{1}）",
    "{} is damaged or cut off; copy or download it again ({})": "{0} 已损坏或不完整，请重新复制或下载（{1}）",
    "{} is not a project file of SplazMatte": "{0} 不是 SplazMatte 的工程文件",
    "{} is not a project file of SplazMatte: it has no {}": "{0} 不是 SplazMatte 的工程文件：缺少 {1}",
    "{} is cut off, or something was added to it; copy or download it again": "{0} 不完整，或被附加了内容，请重新复制或下载",
    "{} has more files than a project file may have": "{0} 的文件数超过工程文件的上限",
    "{} was not written by SplazMatte: its files claim to be larger than itself": (
        "{0} 不是由 SplazMatte 写出的：其中文件声称的大小超过其自身"
    ),
    "{} was not written by SplazMatte, or was packed again: '{}' is packed, encrypted, a link or there twice": (
        "{0} 不是由 SplazMatte 写出的，或被重新打包：“{1}”被压缩、加密、为链接或重复"
    ),
    "the project file is damaged: '{}' {}": "工程文件已损坏：“{0}”缺失或不属于它",
    "the project file is damaged: its state, its facts or its source is missing": (
        "工程文件已损坏：缺少状态、信息或源视频"
    ),
    "the project file is damaged: its source is not the one that it names": "工程文件已损坏：其源视频与所述不符",
    "the project file is damaged: {} is too large": "工程文件已损坏：{0} 过大",
    "the project file is damaged: {} is not what was written; copy it again": (
        "工程文件已损坏：{0} 与写入时不同，请重新复制"
    ),
    "the project is of a kind that this version does not know: '{}'; update SplazMatte": (
        "该工程属于此版本未知的类型“{0}”，请更新 SplazMatte"
    ),
    "the project file has a file that no project has: '{}'": "工程文件含有不应有的文件：“{0}”",
    # notices
    "the project was made by SplazMatte {}, which is newer than this ({})": (
        "该工程由 SplazMatte {0} 制作，比当前版本（{1}）新"
    ),
    "an engine cannot run here yet: {}": "有引擎暂时无法在此运行：{0}",
    "the licence of '{}' does not allow commercial use ({})": "“{0}”的许可证不允许商业使用（{1}）",
    "'{}' has version {} here, not {}: what it made counts as stale, and a run makes it again": (
        "“{0}”在此为版本 {1}，而非 {2}：其成品视为过期，运行时会重新生成"
    ),
    "the weights '{}' are other ones here: what is made from now on may differ": (
        "权重“{0}”在此与原先不同：之后生成的结果可能有差异"
    ),
    "formats that this version does not have are left out: {}": "已略去此版本没有的格式：{0}",
}
