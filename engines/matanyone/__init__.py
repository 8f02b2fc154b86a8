"""MatAnyone's insides: the authors' network, runs from keyframes, their blend, and the way back to full size."""
