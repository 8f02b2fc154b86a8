"""Messages about files, folders and the shapes of pictures in Chinese."""

from __future__ import annotations

FILE_MESSAGES = {
    "{} is not a video that can be read: {}": "{0} 不是可读取的视频：{1}",
    "{} is a playlist ({}) that names other files; give the video itself: {}": (
        "{0} 是指向其他文件的播放列表（{1}）；请给出视频本身：{2}"
    ),
    "{} is a still image, not a video: {}": "{0} 是静态图像，不是视频：{1}",
    "{} has no index ('moov'): the recording or the download was cut off, or it is one fragment of a stream: {}": (
        "{0} 没有索引（“moov”）：录制或下载中途中断，或者它只是流的一个片段：{1}"
    ),
    "{} could not be read ({})": "{0} 无法读取（{1}）",
    "{}; it is kept as {}": "{0}；已保留为 {1}",
    "{} is gone": "{0} 已丢失",
    "{} is gone; what was there is kept as {}": "{0} 已丢失；原有内容保留为 {1}",
    "cannot write {}: {}; set {} to another place": "无法写入 {0}：{1}；请将 {2} 设为其他位置",
    "its folder cannot be made": "无法创建其所在文件夹",
    "links in it go in a circle": "路径中的链接形成循环",
    "the name is too long": "名称过长",
    "the disk is full": "磁盘已满",
    "the disk quota is used up": "磁盘配额已用完",
    "the disk is read-only": "磁盘为只读",
    "no permission to write there": "没有写入权限",
    "the file is too large for this disk": "文件对于此磁盘过大",
    "the pixels' aspect ratio must be above 0, not {}": "像素宽高比须大于 0，而非 {0}",
    "a folder": "文件夹",
    "a device or pipe": "设备或管道",
    "a picture": "一张图片",
    "audio and a cover picture": "音频和封面图片",
    "an empty container": "空的容器",
    "it holds no picture data": "其中没有画面数据",
}

LIBRARY_WORDS = {
    "Invalid data found when processing input": "处理输入时发现无效数据",
    "Invalid argument": "参数无效",
    "End of file": "文件意外结束",
    "Decoder not found": "找不到解码器",
    "Demuxer not found": "找不到解复用器",
    "Protocol not found": "找不到协议",
    "Not yet implemented in FFmpeg, patches welcome": "FFmpeg 尚未实现",
    "Internal bug, should not have happened": "内部错误",
    "Generic error in an external library": "外部库出错",
    "Unknown error occurred": "发生未知错误",
    "Cannot allocate memory": "内存不足",
    "Input/output error": "输入/输出错误",
    "Permission denied": "没有权限",
    "No such file or directory": "没有此文件或文件夹",
    "Is a directory": "是文件夹",
    "Not a directory": "不是文件夹",
    "Too many open files": "打开的文件过多",
    "audio": "音频",
    "subtitle": "字幕",
}
"""What FFmpeg and the system say of a file, which messages end with: words that are nowhere in our own source."""
