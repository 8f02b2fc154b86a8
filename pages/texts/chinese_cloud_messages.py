"""Chinese: messages of errors that belong to the cloud."""

from __future__ import annotations

CLOUD_MESSAGES: dict[str, str] = {
    "no cloud store is set; set SPLAZMATTE_STORAGE_BACKEND to r2 or oss (docs/cloud.md)": (
        "未设置云存储；请将 SPLAZMATTE_STORAGE_BACKEND 设为 r2 或 oss（见 docs/cloud.md）"
    ),
    "{} is not set; SPLAZMATTE_STORAGE_BACKEND={} needs it": "未设置 {0}；SPLAZMATTE_STORAGE_BACKEND={1} 需要它",
    "{} must be an address and nothing behind it, as {}": "{0} 须为地址且其后没有其他内容，例如 {1}",
    "{} is no bucket's name: 3 to 63 small letters, digits, hyphens and dots": (
        "{0} 不是存储桶名称：须为 3 至 63 个小写字母、数字、连字符或点"
    ),
    "{} must not have the bucket in it: leave '{}.' out": "{0} 不应包含存储桶名称：请去掉“{1}.”",
    "{} is no key: it has spaces or other characters that no key has": "{0} 不是密钥：含有空格或密钥中不会出现的字符",
    "{} must be a domain and nothing behind it, as cdn.example.com": "{0} 须为域名且其后没有其他内容，例如 cdn.example.com",
    "{} must be names with single slashes between them, as splazmatte or work/splazmatte": (
        "{0} 须为以单个斜杠分隔的名称，例如 splazmatte 或 work/splazmatte"
    ),
    "the cloud store does not accept the key; check {} and {}": "云存储不接受该密钥；请检查 {0} 和 {1}",
    "the cloud store refuses requests as this machine's clock is wrong; set the clock": (
        "本机时钟不准，云存储拒绝请求；请校准时钟"
    ),
    "the cloud account is suspended or may not store anything ({}); see its console": (
        "云账户已停用或无权存储（{0}）；请查看其控制台"
    ),
    "there is no bucket '{}' at {}; check {} and {}": "{1} 上没有存储桶“{0}”；请检查 {2} 和 {3}",
    "bucket '{}' is in another region than {}; check {}": "存储桶“{0}”与 {1} 不在同一地域；请检查 {2}",
    "bucket '{}' is full, or a quota is used up; free space there, then go on": (
        "存储桶“{0}”已满或配额已用尽；请腾出空间后继续"
    ),
    "the key may not do that in bucket '{}'; let it read, write and delete there (docs/cloud.md)": (
        "该密钥在存储桶“{0}”中没有此权限；请授予读取、写入和删除权限（见 docs/cloud.md）"
    ),
    "the cloud store refused a request: {} {}": "云存储拒绝了请求：{0} {1}",
    "the certificate of {} is not valid; check {}": "{0} 的证书无效；请检查 {1}",
    "the cloud store could not be asked: unexpected {}": "无法访问云存储：意外的 {0}",
    "no connection to {}, or it was cut": "无法连接 {0}，或连接中断",
    "part {} came damaged": "第 {0} 个分片损坏",
    "the cloud store forgot the upload of {} again and again; try again later": (
        "云存储多次丢失 {0} 的上传；请稍后重试"
    ),
    "{} came damaged {} times and was deleted there; try again": "{0} 有 {1} 次到达时已损坏，已在云端删除；请重试",
    "the cloud store gave something else back than was written; check what is in between": (
        "云存储返回的内容与写入的不同；请检查中间环节"
    ),
    "stopped; what was sent is kept, the next upload goes on from there": "已停止；已发送的部分会保留，下次上传从那里继续",
    "cannot read {}: {}": "无法读取 {0}：{1}",
    "session {} has nothing delivered yet; deliver it first": "项目 {0} 尚未交付任何内容；请先交付",
    "an upload job has no parameter '{}'; it has: formats": "上传任务没有参数“{0}”；可用：formats",
    "'formats' must be a list of names": "“formats”须为名称列表",
}
