"""Chinese by the template of an error's message: weights, their download, and neural engines."""

from __future__ import annotations

NEURAL_MESSAGES: dict[str, str] = {
    # what an engine lacks
    "the weights '{}' {}; run: {} download-models {}": "权重“{0}”{1}；请运行：{2} download-models {3}",
    "are not there": "尚未下载",
    "are not complete": "不完整",
    "'{}' needs the authors' sources in {}; run: {} setup": "“{0}”需要 {1} 中的作者源码；请运行：{2} setup",
    # downloads
    "the terms of '{}' are not accepted yet; read and accept them first": "尚未接受“{0}”的条款；请先阅读并接受",
    "'{}' is being downloaded or checked; stop that or wait for it": "“{0}”正在下载或校验；请停止或等待其完成",
    "the check was stopped": "校验已停止",
    "there are no weights named '{}'; there are: {}": "没有名为“{0}”的权重；现有：{1}",
    "downloading needs huggingface_hub; run: {} setup": "下载需要 huggingface_hub；请运行：{0} setup",
    "downloads are switched off by HF_HUB_OFFLINE; unset it": "HF_HUB_OFFLINE 已关闭下载；请取消该设置",
    "no connection to {}; check the network, or set HF_ENDPOINT to a mirror": (
        "无法连接 {0}；请检查网络，或将 HF_ENDPOINT 设为镜像"
    ),
    "stopped; the next download goes on from here": "已停止；下次从此处继续下载",
    "{} answers {}; try again later, or set HF_ENDPOINT": "{0} 返回 {1}；请稍后重试，或设置 HF_ENDPOINT",
    "{} came with a wrong hash and was removed; download it again": "{0} 的哈希值不符，已删除；请重新下载",
    "{} is not there, or not for you; where it has moved, report it; else run: hf auth login": (
        "{0} 不存在，或您无权访问；若已迁移请报告；否则请运行：hf auth login"
    ),
    "{} lacks a file that '{}' needs; report it": "{0} 缺少“{1}”所需的文件；请报告",
    "the hub does not let you have '{}': {}": "来源网站不允许您下载“{0}”：{1}",
    "accept its terms at {}, then run: hf auth login": "请在 {0} 接受其条款，然后运行：hf auth login",
    "run: hf auth login": "请运行：hf auth login",
    "{} is damaged; run: run.py models remove {}, then run.py models download {}": "{0} 已损坏；请移除后重新下载",
    # running
    "'{}' takes no {}; use another tool, or choose another engine for clicks": (
        "“{0}”不支持{1}；请使用其他工具，或选择其他点击引擎"
    ),
    "clicks": "点击",
    "boxes": "框选",
    "'{}' takes no text; click on the object, or use a segmenter that reads text": (
        "“{0}”不支持文字；请点击对象，或使用支持文字的分割引擎"
    ),
    "there is no {} device here; choose device=auto or device=cpu": "此处没有 {0} 设备；请选择 device=auto 或 device=cpu",
    "the weights in {} are damaged ({}); {}": "{0} 中的权重已损坏（{1}）；{2}",
    "the weights in {} cannot be loaded ({}); {}": "{0} 中的权重无法加载（{1}）；{2}",
    "the weights in {} do not fit {}: {}, as {}; {}": "{0} 中的权重与 {1} 不符：{2}，例如 {3}；{4}",
    "fetch them again: run.py models remove {}, then run.py models download {}": "请移除“{0}”后重新下载",
    "finding by text takes about {} GB of memory, which are not free; close other programs, or click on the objects instead": "按文字查找约需 {0} GB 内存，目前不足；请关闭其他程序，或改为点击对象",
    "no instance {} was found; there is: {}": "没有找到编号 {0}；现有：{1}",
    "stopped; a search begins again from its first frame": "已停止；下次搜索会从第一帧重新开始",
    "{} is gone; search again": "{0} 已丢失；请重新搜索",
    "the terms of '{}' ({}) are not accepted yet; run: {} download-models {}": "尚未接受“{0}”的条款（{1}）；请运行：{2} download-models {3}",
    "{} needs {} GB and {} GB to spare in {}; free space or set {}": "{0} 需要 {1} GB，并须在 {3} 留出 {2} GB；请腾出空间或设置 {4}",
    "{} is a folder where a file should be; remove it": "{0} 是文件夹，而此处应为文件；请将其移除",
    "{} ends after {} of {} bytes; try again later, or another mirror": "{0} 在 {1}/{2} 字节处中断；请稍后再试或更换镜像",
    "{} is in the way of a folder; remove it or set {}": "{0} 占用了文件夹的位置；请将其移除或设置 {1}",
    "cannot write {}: {}; set {}": "无法写入 {0}：{1}；请设置 {2}",
    "{} is longer than announced and was removed; try another mirror": "{0} 比声明的更长，已被移除；请更换镜像",
    "HF_ENDPOINT is no address: '{}'; as in HF_ENDPOINT=https://huggingface.co": "HF_ENDPOINT 不是网址：“{0}”；应类似 HF_ENDPOINT=https://huggingface.co",
    "no connection to {}, or it was cut; check the network, or set HF_ENDPOINT to a mirror; the next download goes on from there": "无法连接 {0}，或连接已中断；请检查网络，或将 HF_ENDPOINT 设为镜像；下次下载会继续",
    "the authors' sources are not in {}; run: {} setup": "{0} 中没有作者的源代码；请运行：{1} setup",
    "the authors' sources in {} cannot be used ({}); remove that folder, then run: {} setup": "{0} 中作者的源代码无法使用（{1}）；请移除该文件夹，然后运行：{2} setup",
    "{} is missing; remove {}, then run: {} setup": "缺少 {0}；请移除 {1}，然后运行：{2} setup",
    "the weights {} are damaged ({}); {}": "权重 {0} 已损坏（{1}）；{2}",
    "the weights {} are not MatAnyone's: {} {}, as {}; {}": "权重 {0} 不是 MatAnyone 的：{1} {2}，例如 {3}；{4}",
    "the memory of the GPU does not suffice; {}": "GPU 内存不足；{0}",
    "'{}' finds nothing by a text; these do: {}": "“{0}”不能按文字查找；这些可以：{1}",
    "the text is empty; name what to find, as in 'person' or 'red car'": "文字为空；请说明要查找什么，例如“person”或“red car”",
    "the text is too long: '{}…'; name what to find in a few words, as in 'red car'": "文字太长：“{0}…”；请用几个词说明，例如“red car”",
    "the tokenizer in {} cannot be loaded ({}); fetch it again: run.py models remove {}, then run.py models download {}": "{0} 中的分词器无法加载（{1}）；请重新下载：run.py models remove {2}，然后 run.py models download {3}",
    "no '{}' was found here with a score above {}; try another word, another frame or a lower threshold": "这里没有找到分数高于 {1} 的“{0}”；请换个词、换一帧或降低阈值",
    "a text cannot refine a rough mask; clear the frame's prompts, or leave the text out": "文字不能细化粗略遮罩；请清除该帧的提示，或不使用文字",
    "VideoMaMa's numbers ran over in fp16; choose precision=bf16 or precision=fp32": "VideoMaMa 在 fp16 下数值溢出；请选择 precision=bf16 或 precision=fp32",
    "VideoMaMa gave no numbers; check its weights: run.py models verify videomama-vae": "VideoMaMa 没有给出有效数值；请检查权重：run.py models verify videomama-vae",
    "{} is damaged; run: {} download-models {} --verify": "{0} 已损坏；请运行：{1} download-models {2} --verify",
    "{} is no folder; remove it or set {}": "{0} 不是文件夹；请将其移除或设置 {1}",
    "'{}' is being downloaded; stop that or wait for it": "“{0}”正在下载；请停止下载或等待其完成",
    "matanyone: out of memory; from frame {} on the network works at {} pixels (short side)": "matanyone：内存不足；从第 {0} 帧起网络以 {1} 像素（短边）工作",
    "{}: forgot the {} kept pictures; going back to one of them takes longer": "{0}：已丢弃保留的 {1} 个画面；回到其中之一会更慢",
    "the memory of {} does not suffice for videomama: {}": "{0} 的内存不足以运行 videomama：{1}",
    "no points; set at least one point to be tracked": "没有点；请至少设置一个要跟踪的点",
    "the point {},{} is on frame {}; tracked are {} to {}": "点 {0},{1} 在第 {2} 帧；跟踪范围为 {3} 到 {4}",
    "the point {},{} on frame {} is outside the picture of {}x{}": "第 {2} 帧上的点 {0},{1} 超出 {3}x{4} 的画面",
    "cotracker3: out of memory; from frame {} on points are followed in groups of {}, which know nothing of each other": "cotracker3：内存不足；从第 {0} 帧起，点按每组 {1} 个跟踪，组之间互不相关",
    "the weights {} are not CoTracker3's: {} {}, as {}; {}": "权重 {0} 不是 CoTracker3 的：{1} {2}，例如 {3}；{4}",
}
