"""Parts of scripts/make_demo_clip.py: an astronaut before a launch pad, with procedural hair in the wind."""
