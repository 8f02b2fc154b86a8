"""The parts of the built-in propagator: order of work, motion, appearance, segmentation and the step that joins them."""
