"""The transforms of Winograd's tiles, as matrices and as C for `tiles.c`."""

import torch
from torch import Tensor

# Points +-p of each tile size, besides 0 and infinity; for 8 the fourth was chosen by its error.
HALVES = {4: (1.0, 2.0), 6: (1.0, 2.0, 0.5), 8: (1.0, 2.0, 0.5, 4 / 3)}


def matrices(tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """Float64 analysis (P, P), kernel transform (P, 3) and synthesis (tile, P); P = tile + 2.

    Toom-Cook at the points 0, +-p and infinity, so that for kernel g and P inputs d
    synthesis @ ((kernel @ g) * (analysis @ d)) is their correlation of `tile` outputs.
    """
    points = [0.0, *(sign * p for p in HALVES[tile] for sign in (1, -1))]
    whole = _polynomial(points)
    lines, kernels = [], []
    for i, p in enumerate(points):
        others = points[:i] + points[i + 1 :]
        lines.append([*_polynomial(others), 0.0])
        scale = torch.tensor([p - q for q in others], dtype=torch.float64).prod()
        kernels.append([float(p**k / scale) for k in range(3)])
    powers = [[p**k for p in points] + [float(k == tile - 1)] for k in range(tile)]
    found = ([*lines, whole], [*kernels, [0.0, 0.0, 1.0]], powers)
    analysis, kernel, synthesis = (torch.tensor(x, dtype=torch.float64) for x in found)
    return analysis, kernel, synthesis


def _polynomial(roots: list[float]) -> list[float]:
    """Coefficients, lowest first, of the monic polynomial with these roots."""
    found = [1.0]
    for root in roots:
        found = [a - root * b for a, b in zip([0.0, *found], [*found, 0.0], strict=True)]
    return found


def source(tile: int) -> str:
    """What `tiles.c` expects before itself, in C."""
    analysis, _, synthesis = matrices(tile)
    return "\n".join([
        "typedef float v8 __attribute__((vector_size(32), aligned(4), may_alias));",
        "typedef int i8 __attribute__((vector_size(32)));",
        f"enum {{ TILE = {tile}, POINTS = {tile + 2} }};",
        _analyse(analysis.tolist()), _synthesise(synthesis.tolist()), "",
    ])  # fmt: skip


def _analyse(rows: list[list[float]]) -> str:
    """Values at +p and -p share their even and odd halves."""
    lines = []
    for i, row in enumerate(rows):
        even, odd = (_sum({k: row[k] for k in range(h, len(row), 2)}) for h in (0, 1))
        if i in (0, len(rows) - 1):
            lines.append(f"y[{i} * t] = {even if i == 0 else odd};")
        elif i % 2:
            lines.append(
                f"{{ const v8 e = {even}, o = {odd}; y[{i} * t] = e + o; y[{i + 1} * t] = e - o; }}"
            )
    return _function("analyse", lines)


def _synthesise(rows: list[list[float]]) -> str:
    """Even outputs take the sums of the products at +p and -p, odd ones their differences."""
    pairs = (len(rows[0]) - 2) // 2
    lines = [f"const v8 s{i} = x[{2 * i + 1} * s] + x[{2 * i + 2} * s], "
             f"d{i} = x[{2 * i + 1} * s] - x[{2 * i + 2} * s];" for i in range(pairs)]  # fmt: skip
    for k, row in enumerate(rows):
        terms = [f"{row[2 * i + 1]!r}f * {'sd'[k % 2]}{i}" for i in range(pairs)]
        ends = [f"x[{i} * s]" for i in (0, len(row) - 1) if row[i]]
        lines.append(f"y[{k} * t] = {' + '.join(terms + ends)};")
    return _function("synthesise", lines)


def _sum(terms: dict[int, float]) -> str:
    return (
        " + ".join(f"{value!r}f * x[{k} * s]" for k, value in terms.items() if value) or "(v8){0}"
    )


def _function(name: str, lines: list[str]) -> str:
    body = "\n    ".join(lines)
    return f"static inline void {name}(const v8 *x, int s, v8 *y, int t)\n{{\n    {body}\n}}"
