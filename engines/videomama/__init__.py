"""VideoMaMa (Lim et al. 2026): mattes by one step of a video diffusion network that was trained on masks."""
