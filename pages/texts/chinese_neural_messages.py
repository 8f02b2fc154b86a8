"""Chinese by the template of an error's message: weights, their download, and neural engines."""

from __future__ import annotations

NEURAL_MESSAGES: dict[str, str] = {
    # what an engine lacks
    "the weights '{}' {}; run: just download-models {}": "权重“{0}”{1}；请运行：just download-models {2}",
    "are not there": "尚未下载",
    "are not complete": "不完整",
    "'{}' needs the authors' sources in {}; run: just setup": "“{0}”需要 {1} 中的作者源码；请运行：just setup",
    # downloads
    "the terms of '{}' are not accepted yet; read and accept them first": "尚未接受“{0}”的条款；请先阅读并接受",
    "'{}' is being downloaded or checked; stop that or wait for it": "“{0}”正在下载或校验；请停止或等待其完成",
    "the check was stopped": "校验已停止",
    "there are no weights named '{}'; there are: {}": "没有名为“{0}”的权重；现有：{1}",
    "downloading needs huggingface_hub; run: just setup": "下载需要 huggingface_hub；请运行：just setup",
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
    "{} needs {} GB and {} GB to spare in {}; free space or set SPLAZMATTE_MODELS_DIR": (
        "{0} 需要在 {3} 中有 {1} GB，另留 {2} GB；请腾出空间或设置 SPLAZMATTE_MODELS_DIR"
    ),
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
    "the memory of {} does not suffice; choose a smaller model or working size, or device=cpu": (
        "{0} 的内存不足；请选择更小的模型或工作尺寸，或 device=cpu"
    ),
    "there is no {} device here; choose device=auto or device=cpu": "此处没有 {0} 设备；请选择 device=auto 或 device=cpu",
    "the weights in {} are damaged ({}); {}": "{0} 中的权重已损坏（{1}）；{2}",
    "the weights in {} cannot be loaded ({}); {}": "{0} 中的权重无法加载（{1}）；{2}",
    "the weights in {} do not fit {}: {}, as {}; {}": "{0} 中的权重与 {1} 不符：{2}，例如 {3}；{4}",
    "fetch them again: run.py models remove {}, then run.py models download {}": "请移除“{0}”后重新下载",
}
