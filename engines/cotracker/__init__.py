"""CoTracker3's insides: the authors' network, a clip's encoded frames, and points followed through windows of them."""
