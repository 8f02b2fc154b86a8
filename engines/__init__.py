"""Engines: arrays in, arrays out. None of them knows files, sessions or widgets."""
