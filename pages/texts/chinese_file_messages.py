"""Messages about files, folders and the shapes of pictures in Chinese."""

from __future__ import annotations

FILE_MESSAGES = {
    "{} could not be read ({})": "{0} 无法读取（{1}）",
    "{}; it is kept as {}": "{0}；已保留为 {1}",
    "{} is gone": "{0} 已丢失",
    "{} is gone; what was there is kept as {}": "{0} 已丢失；原有内容保留为 {1}",
    "cannot write {}: {}; set {} to another folder": "无法写入 {0}：{1}；请将 {2} 设为其他文件夹",
    "its folder cannot be made": "无法创建其所在文件夹",
    "links in it go in a circle": "路径中的链接形成循环",
    "the name is too long": "名称过长",
    "the disk is full": "磁盘已满",
    "the disk quota is used up": "磁盘配额已用完",
    "the disk is read-only": "磁盘为只读",
    "no permission to write there": "没有写入权限",
    "the file is too large for this disk": "文件对于此磁盘过大",
    "the pixels' aspect ratio must be above 0, not {}": "像素宽高比须大于 0，而非 {0}",
}
