"""One object, one frame further."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from engines.flow.appearance import ColourModel, Frame2D, PlaceModel, colour_bins, log_ratio, L_BINS, AB_BINS
from engines.flow.cut import LIMIT, graph_cut
from engines.flow import ridge
from engines.flow.view import View, bounding_box, view_around

@dataclass
class Tuning:
    side: int = 320
    margin: float = 0.25
    sigma: float = 0.02   # prior's softness in sqrt(area)
    sigma_err: float = 0.5
    band: float = 0.3
    w_prior: float = 2.5
    w_col: float = 2.0
    w_place: float = 0.7
    w_prev: float = 1.5
    clip_prior: float = 4
    floor: float = 1e-4
    fallback: float = 0.5
    min_part: float = 0.02
    w_motion: float = 2.0
    w_ridge: float = 4.0
    ridge_prev: float = 0.5
    ridge_fg: float = 0.0
    trust: float = 0.0
    trust_fg: float = 0.3
    fit_pow: float = 2.0
    unit: int = 0
    sig: float = 1.0
    redetect: int = 1
    key_share: float = 0.0
    ridge_gain: float = 1.0
    extra: dict = field(default_factory=dict)

T = Tuning()


def signed_distance(inside):
    i = inside.astype(np.uint8)
    return cv2.distanceTransform(i, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - i, cv2.DIST_L2, 3)


def object_frame(soft, view: View) -> Frame2D:
    m = cv2.moments(soft.astype(np.float32))
    sx, sy = view.scale
    area = max(m["m00"], 1.0)
    return Frame2D(view.x0 + (m["m10"] / area + .5) / sx, view.y0 + (m["m01"] / area + .5) / sy, max(1.0, np.sqrt(area / (sx * sy))))


def object_coords(view, frame):
    sx, sy = view.scale
    u = (view.x0 + (np.arange(view.width, dtype=np.float32) + .5) / sx - frame.x) / frame.size
    v = (view.y0 + (np.arange(view.height, dtype=np.float32) + .5) / sy - frame.y) / frame.size
    return np.broadcast_to(u[None], (view.height, view.width)), np.broadcast_to(v[:, None], (view.height, view.width))


class Reference:
    """Keyframe."""

    def __init__(self, image, mask, index) -> None:
        self.index = index
        full = image.shape[1], image.shape[0]
        box = bounding_box(mask > 127)
        self.empty = box is None
        if box is None:
            return
        view = view_around(box, full, 0.6, T.side)
        lab = cv2.cvtColor(view.image(image), cv2.COLOR_RGB2LAB)
        soft = view.image(mask).astype(np.float32) / 255
        inside = soft > 0.5
        self.frame = object_frame(inside, view)
        self.colour = ColourModel(lab, inside, ~inside)
        x = ridge.inputs(lab, T.sig * np.sqrt(inside.sum()))
        small = cv2.resize(soft, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_AREA)
        mi, mo = ridge.moments(ridge.features(x[small > 0.6]), 1.0), ridge.moments(ridge.features(x[small < 0.4]), -1.0)
        self.ridge = (mi[0] + mo[0]) / 2, (mi[1] + mo[1]) / 2
        u, v = object_coords(view, self.frame)
        self.place = PlaceModel(lab, inside, ~inside, u, v)


def step(image, previous_image, previous, motion, refs, draft, weights):
    """Return (mask, confidence)."""
    full = image.shape[1], image.shape[0]
    small = motion.offset.shape[1], motion.offset.shape[0]
    whole = View(0, 0, full[0], full[1], small[0], small[1])
    rough = whole.warp(previous, motion)
    box = bounding_box(rough > 0.3)
    if draft is not None:
        dbox = bounding_box(whole.image(draft) > 127)
        if box is None:
            box = dbox
        elif dbox is not None:
            box = min(box[0], dbox[0]), min(box[1], dbox[1]), max(box[2], dbox[2]), max(box[3], dbox[3])
    refs = [(r, w) for r, w in zip(refs, weights) if not r.empty]
    if box is None or not refs:
        return np.zeros((full[1], full[0]), np.uint8), 0.0, None
    kx, ky = full[0] / small[0], full[1] / small[1]
    box = int(box[0] * kx), int(box[1] * ky), int(np.ceil(box[2] * kx)), int(np.ceil(box[3] * ky))
    view = view_around(box, full, T.margin, T.side)
    s = (view.scale[0] + view.scale[1]) / 2
    warped = view.warp(previous, motion)
    err = view.sample(motion.error, full) * s
    lab = cv2.cvtColor(view.image(image), cv2.COLOR_RGB2LAB)
    area = max(float((warped > .5).sum()), 1.0)
    root = np.sqrt(area)
    dist = signed_distance(warped > .5)
    sigma = 1.0 + T.sigma * root + T.sigma_err * np.minimum(cv2.blur(err, (9, 9)), 0.2 * root)
    prior = np.clip(dist / sigma, -T.clip_prior, T.clip_prior)
    bins = colour_bins(lab, L_BINS, AB_BINS)
    total = sum(w for _, w in refs)
    fg = sum(r.colour.fg * (w / total) for r, w in refs)
    bg = sum(r.colour.bg * (w / total) for r, w in refs)
    # the background of the previous frame well away from the object
    plab = cv2.cvtColor(view.image(previous_image), cv2.COLOR_RGB2LAB)
    pin = view.image(previous) > 127
    pdist = signed_distance(pin)
    unit = root if T.unit else s * sum(r.frame.size * w for r, w in refs) / total
    unit *= T.sig
    x = ridge.inputs(lab, unit)
    px = ridge.inputs(plab, unit)
    phi, pphi = ridge.features(x), ridge.features(px)
    stats = [(r.ridge, w / total) for r, w in refs]
    key_model = ridge.solve(stats, [], 0)
    pkey = cv2.resize((pphi @ key_model).reshape(px.shape[:2]), (lab.shape[1], lab.shape[0]))
    pfar = pdist < -0.08 * root
    trusted = pfar & (pkey < T.trust)
    pm = ColourModel(plab, (pdist > 0.05 * root) & (pkey > -T.trust_fg), trusted)
    col = T.w_col * np.clip(log_ratio(fg, bg, T.floor), -3, 3)[bins]
    pcol = np.clip(log_ratio(pm.fg, pm.bg, T.floor), -3, 3)[bins]
    pd = cv2.resize(trusted.astype(np.float32), (px.shape[1], px.shape[0])).ravel() > 0.5
    extra = [ridge.moments(pphi[pd][::3], -1.0)] if pd.any() else []
    model = ridge.solve(stats, extra, T.ridge_prev)
    score = ((1 - T.key_share) * (phi @ model) + T.key_share * (phi @ key_model)).reshape(x.shape[:2])
    score = cv2.resize(score, (lab.shape[1], lab.shape[0]))
    col = col + T.w_ridge * 3 * np.clip(T.ridge_gain * score, -1, 1)
    if draft is not None:
        time_w = weights[-1]
        back = view.image(draft) > 127
        likely = score > 0
        fit_f, fit_b = overlap(warped > .5, likely), overlap(back, likely)
        wf, wb = (1 - time_w) * (fit_f ** T.fit_pow + 0.01), time_w * (fit_b ** T.fit_pow + 0.01)
        wd = wb / (wf + wb)
        db = signed_distance(back)
        sb = 1.0 + T.sigma * root
        pb = np.clip(db / sb, -T.clip_prior, T.clip_prior)
        prior = (1 - wd) * prior + wd * pb
        dist = np.where(np.abs(dist) < np.abs(db), dist, db)
        root = np.sqrt(max(1.0, (1 - wd) * root * root + wd * back.sum()))
    if T.w_motion:
        bgm = (dist < -0.06 * root) & (score < T.trust)
        fgm = (dist > 0.04 * root) & (score > -T.trust_fg)
        mo = motion_odds(view.sample(motion.offset, full) * s, bgm, fgm)
        col += T.w_motion * mo
    frame = object_frame(warped > .5, view)
    u, v = object_coords(view, frame)
    pbins = PlaceModel.bins(lab, u, v)
    place = sum(np.clip(r.place.odds, -3, 3)[pbins] * (w / total) for r, w in refs)
    odds = T.w_prior * prior + col + T.w_prev * pcol + T.w_place * place
    odds = cv2.GaussianBlur(odds.astype(np.float32), (0, 0), 0.7)
    band = np.abs(dist) < np.maximum(3, T.band * root + cv2.blur(err, (9, 9)))
    hard = np.where(band, odds, np.where(prior > 0, LIMIT, -LIMIT)).astype(np.float32)
    if T.extra.get('dbg'):
        T.extra['dbg'](locals())
    inside = graph_cut(hard, lab[..., :2].copy(), band)
    inside = clean(inside, T.min_part * root * root)
    ref_mask = prior > 0
    inter = (inside & ref_mask).sum() / max(1, (inside | ref_mask).sum())
    if inter < T.fallback:
        inside = ref_mask
    conf = float(inter)
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.6)
    return view.paste(soft, full), conf, None


def clean(inside, min_area):
    n, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if n > 2:
        keep = stats[:, cv2.CC_STAT_AREA] >= min_area
        keep[0] = False
        inside = keep[labels]
    n, labels, stats, _ = cv2.connectedComponentsWithStats((~inside).astype(np.uint8), connectivity=4)
    if n > 2:
        fill = stats[:, cv2.CC_STAT_AREA] < min_area * .5
        fill[0] = False
        inside = inside | fill[labels]
    return inside


def motion_odds(flow, bgm, fgm):
    """Log-odds from motion against the background's affine one."""
    h, w = bgm.shape
    if bgm.sum() < 50 or fgm.sum() < 20:
        return np.zeros((h, w), np.float32)
    y, x = np.mgrid[0:h:4, 0:w:4].astype(np.float32)
    m = bgm[::4, ::4]
    a = np.stack([np.ones_like(x), x / w - .5, y / h - .5], -1)
    t = flow[::4, ::4]
    wts = m.astype(np.float32)
    for _ in range(4):
        aw = a * wts[..., None]
        coef = np.linalg.solve(np.einsum('ijk,ijl->kl', aw, a) + 1e-3 * np.eye(3), np.einsum('ijk,ijl->kl', aw, t))
        res = np.linalg.norm(t - a @ coef, axis=2)
        wts = m / (1 + (res / 0.7) ** 2)
    yy, xx = np.mgrid[0:h, 0:w].astype(np.float32)
    aa = np.stack([np.ones_like(xx), xx / w - .5, yy / h - .5], -1)
    r = flow - aa.astype(np.float32) @ coef.astype(np.float32)
    n = 33
    q = np.sign(r) * np.sqrt(np.abs(r))   # finer near zero
    b = np.clip((q * 4 + n / 2), 0, n - 1).astype(np.int32)
    idx = b[..., 1] * n + b[..., 0]
    def hist(sel):
        c = np.bincount(idx[sel], minlength=n * n).astype(np.float32).reshape(n, n)
        c = cv2.GaussianBlur(c, (0, 0), 1.0, borderType=cv2.BORDER_CONSTANT).ravel()
        return c / max(c.sum(), 1e-6)
    f, g = hist(fgm), hist(bgm)
    return np.clip(np.log((f + 2e-3) / (g + 2e-3)), -3, 3)[idx]


def overlap(a, b):
    return float((a & b).sum()) / max(1, int((a | b).sum()))
