"""Decisions of the web app without widgets: sessions, editing, work, pictures, uploads, downloads."""
