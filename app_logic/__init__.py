"""Decisions of the web app, without widgets.

services.py   what lives as long as the app: store, queue and its runner, warm processes, open editors
editor/       SessionEditor: what a user does to one session; undo.py takes it back
view.py       what a page shows of a session, as plain values
pictures.py   frames, masks, alpha, foreground, thumbnails as bytes
work.py       jobs of a session: start, stop, estimate, list
sessions.py   the list of sessions
uploads.py, downloads.py   files in and out
models.py     weights: what there is, downloads, checks (errands.py), in words (model_texts.py)
engine_menu.py, makers.py  which engines can run here; which one made what
words.py      amounts as people read them
"""
