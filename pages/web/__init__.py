"""The app over HTTP beside its pages: who may enter (security, login), pictures (media) and files (files)."""
