"""Motion from tracks: pure functions that return new tracks or a `Motion`, and never change what they are given.

- `steady.steady_track`: one steady track from many; `chain.similarity`: position, rotation and scale;
  `chain.corner_pin`: a plane told by four corners; `stabilise.stabilise`: any of them taken back.
- `smoothing.smooth`, `outliers.reject_outliers`, `gaps.fill_gaps`: cleaner tracks.
- `result`: what a motion is. `estimate`, `homography`: one transform between two frames.
"""
