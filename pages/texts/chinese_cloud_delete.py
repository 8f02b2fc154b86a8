"""Chinese: what is up, deleted again; texts and messages of errors."""

from __future__ import annotations

CLOUD_DELETE: dict[str, str] = {
    "out of date: upload again": "已过时：请重新上传",
    "The local result was made anew since, or is gone.": "本地结果之后已重新生成，或已不存在。",
    "not complete": "未完成",
    "not cleared for commercial use": "未确认可商用，不提供链接",
    "Delete {name} in the cloud": "删除云端的 {name}",
    "Delete the upload?": "删除已上传的内容？",
    "{name} will be gone in the cloud, and links to it end.": "云端的 {name} 将被删除，其链接随之失效。",
    "Also delete what is uploaded": "同时删除已上传的内容",
    "Deleting what is uploaded …": "正在删除已上传的内容……",
}

CLOUD_DELETE_MESSAGES: dict[str, str] = {
    "the cloud store failed {} times ({}); {}": "云存储连续失败 {0} 次（{1}）；{2}",
    "what was sent is kept, try again later": "已发送的部分会保留，请稍后重试",
    "try again later": "请稍后重试",
    "{} of them are in another bucket than the one that is set; set that one, try again": (
        "其中 {0} 项在另一个存储桶中，而非当前设置的存储桶；请改设为该存储桶后重试"
    ),
    "check {} and the network, or try again later": "请检查 {0} 和网络，或稍后重试",
    "session {} stays, as its uploads cannot be deleted: {}; or delete it without them": (
        "项目 {0} 已保留，因为其上传内容无法删除：{1}；也可以只删除项目而保留上传内容"
    ),
    "what session {} has uploaded was noted in {}, which cannot be read; "
    "delete what is under {}/ in the store's console, then that file": (
        "项目 {0} 的上传记录在 {1} 中，该文件无法读取；请在云存储控制台中删除 {2}/ 下的内容，再删除该文件"
    ),
}
