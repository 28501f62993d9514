"""What a grown head of hair gets last: clumps drawn together, curls wound, the hem cut."""

from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from avatars.hairstyles import Style


class Clumps(NamedTuple):
    """`owner` (n,) the clump of each root, `guides` (m,) the root that leads each clump."""

    owner: np.ndarray
    guides: np.ndarray


def clumps(roots: np.ndarray, per: int, rng: np.random.Generator) -> Clumps:
    """Clumps of about `per` neighbouring `roots` (n, 3)."""
    guides = rng.choice(len(roots), max(1, len(roots) // per), replace=False)
    return Clumps(np.asarray(cKDTree(roots[guides]).query(roots)[1]), guides)


def gather(path: np.ndarray, clumps: Clumps, style: Style) -> np.ndarray:
    """Strands drawn towards the one that leads their clump, more so at their tips."""
    if not style.clump:
        return path
    lead = path[clumps.guides][clumps.owner]
    apart = (path[:, 0] - lead[:, 0])[:, None]
    pull = style.clump * np.linspace(0, 1, style.joints)[:, None]
    return np.asarray(path * (1 - pull) + (lead + 0.35 * apart) * pull)


def curl(path: np.ndarray, clumps: Clumps, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Strands wound around their own path; those of a clump wind together."""
    if not style.curl:
        return path
    count, owner = len(clumps.guides), clumps.owner
    phase = rng.uniform(0, 2 * np.pi, count)[owner] + rng.normal(0, 0.35, len(owner))
    turns = style.turns * rng.uniform(0.8, 1.25, count)[owner]
    along = np.linspace(0, 1, style.joints)
    angle = phase[:, None] + 2 * np.pi * turns[:, None] * along
    way = unit(path[:, -1] - path[:, 0])
    across = unit(np.cross(way, rng.normal(0, 1, (count, 3))[owner]))
    other = np.cross(way, across)
    width = style.curl * np.sqrt(along)[None, :, None]
    return np.asarray(path + width * (
        np.cos(angle)[..., None] * across[:, None] + np.sin(angle)[..., None] * other[:, None]
    ))  # fmt: skip


def cut(path: np.ndarray, hem: np.ndarray) -> np.ndarray:
    """Strands cut where they first fall below the height `hem` (n,)."""
    joints = path.shape[1]
    over = path[..., 1] - hem[:, None]
    under = over < 0
    under[:, 0] = False
    first = np.where(under.any(axis=1), under.argmax(axis=1), joints - 1)
    rows = np.arange(len(path))
    before, after = over[rows, first - 1], over[rows, first]
    share = np.where(after < 0, before / np.maximum(before - after, 1e-9), 1.0).clip(0, 1)
    end = path[rows, first - 1] + share[:, None] * (path[rows, first] - path[rows, first - 1])
    past = np.arange(joints) >= first[:, None]
    return np.where(past[..., None], end[:, None], path)


def unit(vectors: np.ndarray) -> np.ndarray:
    """`vectors` (..., 3) at length 1."""
    return np.asarray(vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9))


def smooth(t: np.ndarray) -> np.ndarray:
    """From 0 at 0 to 1 at 1, without a kink."""
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
