"""Decisions of the web app, without widgets.

services.py   what lives as long as the app: both kinds of session, queue and its runner, warm processes
side.py       one kind of session: its store, open editors, pictures, jobs (matting_side.py, tracking_side.py)
editing.py    what a user does to a session of any kind; undo.py takes it back
editor/, track_editor/     ... to a matting session, to a tracking session
view.py, track_view.py     what a page shows of a session, as plain values
frame_pictures.py          frames and thumbnails as bytes; pictures.py masks and alpha, track_pictures.py tracks
jobs.py       jobs of a session: start, stop, estimate, list (work.py, track_work.py)
carry.py      from a matting session to a tracking session
sessions.py   the list of sessions
uploads.py    files in; portable.py project files in and out, bundles.py results of several sessions out
models.py     weights: what there is, downloads, checks (errands.py), in words (model_texts.py)
engine_menu.py, makers.py  which engines can run here; which one made what
words.py      amounts as people read them
"""
