/* A ConvLSTM step over Winograd's tiles, all of it but the matrix products: eight channels at a time.
 *
 * F(4 x 4, 3 x 3) with the points 0, 1, -1, 2, -2 and infinity. Pictures are channels-last with a
 * border of one pixel; their channels are the hidden state's, then the frame's, then zeros to a
 * multiple of 8. Values and products are 36 planes of (tiles, channels), tiles row by row of the
 * picture. Gates (tile, place, i f g o, channel) and states (tile, place, channel) stay in tiles.
 * A function works on tiles first to last; planes begin with tile first.
 */

enum { TILE = 4, POINTS = 6, PLANES = 36, PLACES = 16, LANES = 8, GATES = 4 };

typedef float v8 __attribute__((vector_size(32), aligned(4)));
typedef int i8 __attribute__((vector_size(32), aligned(4)));

typedef struct {
    int across;  /* tiles a row */
    int line;    /* pixels a row of a picture, border and all */
    int width;   /* channels of a picture, a multiple of 8 */
    int hidden;  /* channels of the state, a multiple of 8 */
    int inner;   /* channels of values: the state's and the frame's */
    long plane;  /* floats from plane to plane of values; all others are packed */
} Shape;

static v8 load(const float *x) { return *(const v8 *)x; }
static void store(float *x, v8 value) { *(v8 *)x = value; }

static v8 choose(i8 first, v8 one, v8 other) { return (v8)(((i8)one & first) | ((i8)other & ~first)); }

/* exp as in Cephes (Moshier 1989): 2^n e^r with |r| <= ln 2 / 2; not a number stays so. */
static v8 power(v8 x)
{
    const v8 zero = {0}, most = zero + 88, least = zero - 87;
    x = choose(x > most, most, choose(x < least, least, x));
    const v8 shifted = x * 1.44269504f + 12582912.0f; /* 1.5 x 2^23: its last bits are n */
    const v8 n = shifted - 12582912.0f;
    const v8 r = x - n * 0.693359375f + n * 2.12194440e-4f;
    v8 sum = r * 1.9875691500e-4f + 1.3981999507e-3f;
    sum = sum * r + 8.3334519073e-3f;
    sum = sum * r + 4.1665795894e-2f;
    sum = sum * r + 1.6666665459e-1f;
    sum = sum * r + 5.0000001201e-1f;
    const i8 scale = ((i8)shifted << 23) + 0x3f800000;
    return (sum * r * r + r + 1) * (v8)scale;
}

static v8 sigmoid(v8 x) { return 1 / (1 + power(-x)); }
static v8 hyperbolic(v8 x) { return 1 - 2 / (1 + power(2 * x)); }

static void analyse(const v8 *x, int from, v8 *t, int to)
{
    const v8 a = x[4 * from] - 4 * x[2 * from], b = x[3 * from] - 4 * x[from];
    const v8 c = x[4 * from] - x[2 * from], d = 2 * (x[3 * from] - x[from]);
    t[0] = 4 * x[0] - 5 * x[2 * from] + x[4 * from];
    t[to] = a + b;
    t[2 * to] = a - b;
    t[3 * to] = c + d;
    t[4 * to] = c - d;
    t[5 * to] = 4 * x[from] - 5 * x[3 * from] + x[5 * from];
}

static void analyse_back(const v8 *t, int from, v8 *x, int to)
{
    const v8 a = t[from] + t[2 * from], b = t[from] - t[2 * from];
    const v8 c = t[3 * from] + t[4 * from], d = 2 * (t[3 * from] - t[4 * from]);
    x[0] = 4 * t[0];
    x[to] = 4 * t[5 * from] - 4 * b - d;
    x[2 * to] = -5 * t[0] - 4 * a - c;
    x[3 * to] = b + d - 5 * t[5 * from];
    x[4 * to] = t[0] + a + c;
    x[5 * to] = t[5 * from];
}

static void synthesise(const v8 *p, int from, v8 *y, int to)
{
    const v8 a = p[from] + p[2 * from], b = p[from] - p[2 * from];
    const v8 c = p[3 * from] + p[4 * from], d = p[3 * from] - p[4 * from];
    y[0] = p[0] + a + c;
    y[to] = b + 2 * d;
    y[2 * to] = a + 4 * c;
    y[3 * to] = b + 8 * d + p[5 * from];
}

static void synthesise_back(const v8 *y, int from, v8 *p, int to)
{
    const v8 even = y[0] + y[2 * from], odd = y[from] + y[3 * from];
    const v8 far = y[0] + 4 * y[2 * from], odd_far = 2 * y[from] + 8 * y[3 * from];
    p[0] = y[0];
    p[to] = even + odd;
    p[2 * to] = even - odd;
    p[3 * to] = far + odd_far;
    p[4 * to] = far - odd_far;
    p[5 * to] = y[3 * from];
}

/* The first pixel of a tile, its border's for values and the pixel within for the state. */
static long corner(const Shape *s, int tile, int border)
{
    const int row = tile / s->across * TILE, column = tile % s->across * TILE;
    return ((long)(row + 1 - border) * s->line + column + 1 - border) * s->width;
}

/* Values of a picture. A tile's last channels spill into the next tile's first, written after. */
void see(const Shape *s, const float *picture, float *values, int first, int last)
{
    for (int tile = first; tile < last; tile++, values += s->inner)
        for (int c = 0; c < s->inner; c += LANES) {
            const float *from = picture + corner(s, tile, 1) + c;
            v8 seen[PLANES], half[PLANES], line[POINTS];
            for (int i = 0; i < PLANES; i++)
                seen[i] = load(from + ((long)(i / POINTS) * s->line + i % POINTS) * s->width);
            for (int j = 0; j < POINTS; j++) analyse(seen + j, POINTS, half + j, POINTS);
            for (int i = 0; i < POINTS; i++) {
                analyse(half + i * POINTS, 1, line, 1);
                for (int j = 0; j < POINTS; j++)
                    store(values + (i * POINTS + j) * s->plane + c, line[j]);
            }
        }
}

/* The gradient of `see`: added to a picture, whose tiles overlap. */
void see_back(const Shape *s, const float *d_values, float *d_picture, int first, int last)
{
    const long plane = (long)(last - first) * s->inner;
    for (int tile = first; tile < last; tile++, d_values += s->inner)
        for (int c = 0; c < s->inner; c += LANES) {
            float *to = d_picture + corner(s, tile, 1) + c;
            v8 seen[PLANES], half[PLANES], line[POINTS];
            for (int i = 0; i < PLANES; i++) seen[i] = load(d_values + i * plane + c);
            for (int j = 0; j < POINTS; j++) analyse_back(seen + j, POINTS, half + j, POINTS);
            for (int i = 0; i < POINTS; i++) {
                analyse_back(half + i * POINTS, 1, line, 1);
                for (int j = 0; j < POINTS; j++) {
                    float *pixel = to + ((long)i * s->line + j) * s->width;
                    store(pixel, load(pixel) + line[j]);
                }
            }
        }
}

/* Products to gates and states: `cell` follows `before`, its tanh is kept in `shown`. The hidden
 * state goes into the next step's picture. */
void go_on(const Shape *s, const float *products, const float *bias, const float *before,
           float *gates, float *cell, float *shown, float *picture, int first, int last)
{
    const int d = s->hidden;
    const long plane = (long)(last - first) * GATES * d;
    for (int tile = first; tile < last; tile++, products += GATES * d)
        for (int c = 0; c < d; c += LANES) {
            v8 sums[GATES][PLACES];
            for (int g = 0; g < GATES; g++) {
                const v8 shift = load(bias + g * d + c);
                v8 seen[PLANES], half[TILE * POINTS];
                for (int i = 0; i < PLANES; i++) seen[i] = load(products + i * plane + g * d + c);
                for (int j = 0; j < POINTS; j++) synthesise(seen + j, POINTS, half + j, POINTS);
                for (int i = 0; i < TILE; i++) synthesise(half + i * POINTS, 1, sums[g] + i * TILE, 1);
                for (int i = 0; i < PLACES; i++) sums[g][i] += shift;
            }
            for (int i = 0; i < PLACES; i++) {
                const long place = (long)tile * PLACES + i, at = place * d + c;
                float *opened = gates + place * GATES * d + c;
                const v8 in = sigmoid(sums[0][i]), forget = sigmoid(sums[1][i]);
                const v8 new = hyperbolic(sums[2][i]), out = sigmoid(sums[3][i]);
                const v8 state = forget * load(before + at) + in * new, seen = hyperbolic(state);
                store(opened, in);
                store(opened + d, forget);
                store(opened + 2 * d, new);
                store(opened + 3 * d, out);
                store(cell + at, state);
                store(shown + at, seen);
                store(picture + corner(s, tile, 0) + c +
                      ((long)(i / TILE) * s->line + i % TILE) * s->width, out * seen);
            }
        }
}

/* The gradient of `go_on`: from that of the hidden state, in `d_picture`, and of the cell state,
 * which becomes that of the state before, to the products' and, added, the bias'. */
void go_back(const Shape *s, const float *gates, const float *before, const float *shown,
             const float *d_picture, float *d_cell, float *d_products, float *d_bias, int first,
             int last)
{
    const int d = s->hidden;
    const long plane = (long)(last - first) * GATES * d;
    for (int tile = first; tile < last; tile++, d_products += GATES * d)
        for (int c = 0; c < d; c += LANES) {
            v8 sums[GATES][PLACES];
            for (int i = 0; i < PLACES; i++) {
                const long place = (long)tile * PLACES + i, at = place * d + c;
                const float *opened = gates + place * GATES * d + c;
                const v8 in = load(opened), forget = load(opened + d);
                const v8 new = load(opened + 2 * d), out = load(opened + 3 * d);
                const v8 seen = load(shown + at);
                const v8 given = load(d_picture + corner(s, tile, 0) + c +
                                      ((long)(i / TILE) * s->line + i % TILE) * s->width);
                const v8 state = load(d_cell + at) + given * out * (1 - seen * seen);
                sums[0][i] = state * new * in * (1 - in);
                sums[1][i] = state * load(before + at) * forget * (1 - forget);
                sums[2][i] = state * in * (1 - new * new);
                sums[3][i] = given * seen * out * (1 - out);
                store(d_cell + at, state * forget);
            }
            for (int g = 0; g < GATES; g++) {
                v8 half[TILE * POINTS], line[POINTS], total = {0};
                for (int i = 0; i < PLACES; i++) total += sums[g][i];
                store(d_bias + g * d + c, load(d_bias + g * d + c) + total);
                for (int j = 0; j < TILE; j++) synthesise_back(sums[g] + j, TILE, half + j, TILE);
                for (int i = 0; i < POINTS; i++) {
                    synthesise_back(half + i * TILE, 1, line, 1);
                    for (int j = 0; j < POINTS; j++)
                        store(d_products + (i * POINTS + j) * plane + g * d + c, line[j]);
                }
            }
        }
}
