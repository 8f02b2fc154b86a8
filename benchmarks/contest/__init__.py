"""Contestants: an engine through our whole job, and the same by its authors' own script, from file to files.

Each side runs in a process of its own (`benchmarks.contest.one`) on the same video, mask and random weights.
"""
