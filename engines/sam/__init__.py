"""What SAM2, EdgeTAM and SAM3 share: prompts on an image, and masks carried through a clip."""
