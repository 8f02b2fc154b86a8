"""Files and pixels: probe, decode, frame folders, masks, encode. Knows no engine and no session."""
