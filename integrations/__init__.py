"""Other people's services, each behind a small interface; none knows a session or a page.

cloud_settings.py   which cloud store is set, complete and sane
storage.py          Bucket: what a store can do; how its answers are judged
stores.py           the one that is set
r2.py, oss.py       Cloudflare R2 (and other stores that speak S3), Aliyun OSS
source.py           what is uploaded, and the pieces that it goes in
upload.py           Uploader: files into a bucket, in parts, gone on with after a cut, checked
removal.py          what is up, or begun, taken away again
sending.py          requests in threads: retries, progress, stopping
ledger.py           uploads.json: what is up, and what was begun
feishu/             cards to a group's bot: built, signed, sent at the pace that it takes
"""
