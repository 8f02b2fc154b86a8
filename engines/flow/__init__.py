"""The parts of the built-in propagator: order of work, motion, appearance, the cut, and the step that joins them."""
