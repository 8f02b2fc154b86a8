"""What the weights are for, in words: by group, and by set within it."""

from __future__ import annotations

from typing import NamedTuple


class GroupText(NamedTuple):
    """Heading of a group of weights on the page."""

    title: str
    purpose: str


GROUPS: dict[str, GroupText] = {
    "sam2": GroupText("SAM 2.1, EdgeTAM", "Masks from clicks and boxes, and masks carried through the clip."),
    "sam3": GroupText("SAM 3", "Masks of everything that a word names, masks from clicks, and masks through the clip."),
    "matanyone": GroupText("MatAnyone", "Soft alpha of people, hair included, from the masks of the keyframes."),
    "videomama": GroupText("VideoMaMa", "Soft alpha from the masks of all frames, by video diffusion; wants a GPU."),
    "cotracker": GroupText("CoTracker 3", "Points followed through the clip."),
}

SETS: dict[str, str] = {
    "edgetam": "Smallest and fastest; for machines without a GPU.",
    "sam2.1-hiera-tiny": "Fast, also without a GPU.",
    "sam2.1-hiera-small": "A little finer than tiny.",
    "sam2.1-hiera-base-plus": "The default: good masks at a good speed.",
    "sam2.1-hiera-large": "The finest masks; wants a GPU.",
    "sam3": "Takes words as well as clicks; wants a GPU.",
    "matanyone": "The first version.",
    "matanyone2": "The second version: finer edges, steadier in hard shots.",
    "videomama-unet": "The network itself; it needs the image codec below, too.",
    "videomama-vae": "The image codec that VideoMaMa needs.",
    "cotracker3-online": "For clips of any length.",
    "cotracker3-offline": "More exact on short clips; its memory grows with their length.",
}
