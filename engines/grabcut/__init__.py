"""The parts of the built-in segmenter; its class is in `engines.grabcut_engine`."""
