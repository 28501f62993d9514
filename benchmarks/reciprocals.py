"""Which reciprocals a processor gives: `python benchmarks/reciprocals.py`, half a second, needs cc.

x86 promises `rcpps` and `rsqrtps` only to 1.5 x 2^-12, so each maker has tables of its own. Embree
starts its divisions from them. Equal digests mean equal answers for every mantissa; other digests
mean that a ray may hit another hair. Ends with one JSON line.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = r"""
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t more(uint64_t digest, float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (digest ^ bits) * 1099511628211ull; /* FNV-1a, a word at a time */
}

int main(void) {
    uint64_t reciprocal = 1469598103934665603ull, root = reciprocal;
    for (uint32_t exponent = 127; exponent < 129; exponent++) /* roots differ by its parity */
        for (uint32_t mantissa = 0; mantissa < 1u << 23; mantissa++) {
            uint32_t bits = exponent << 23 | mantissa;
            float value;
            memcpy(&value, &bits, 4);
            __m128 four = _mm_set1_ps(value);
            reciprocal = more(reciprocal, _mm_cvtss_f32(_mm_rcp_ps(four)));
            root = more(root, _mm_cvtss_f32(_mm_rsqrt_ps(four)));
        }
    printf("%016llx %016llx\n", (unsigned long long)reciprocal, (unsigned long long)root);
    return 0;
}
"""


def digests() -> tuple[str, str]:
    """The digest of all reciprocals, and of all reciprocal roots, over two octaves."""
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder) / "reciprocals.c", Path(folder) / "reciprocals"
        source.write_text(SOURCE)
        subprocess.run(["cc", "-O2", "-msse2", "-o", str(program), str(source)], check=True)
        said = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    reciprocal, root = said.split()
    return reciprocal, root


def main() -> int:
    """Print the processor and its two digests."""
    from pipeline.store.hardware import hardware

    reciprocal, root = digests()
    row = {"cpu": hardware()["cpu"], "rcpps": reciprocal, "rsqrtps": root}
    print("\n".join(f"{name:8}{value}" for name, value in row.items()))
    print(json.dumps(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
