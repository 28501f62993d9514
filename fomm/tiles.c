/* 3 x 3 convolutions in Winograd tiles, and large kernels of few outputs, on eight floats at a time.
 *
 * Frames are channels-last: (N, H, W, C) float32, C a multiple of 8. fomm/tiles.py puts before this
 * file TILE (outputs a side), POINTS (TILE + 2) and the two transforms of one line, `analyse` and
 * `synthesise`. Threads are torch's own: they share the OpenMP library that torch has loaded.
 */

enum { TOGETHER = 96, ROWS = 6, WIDE = 16 }; /* tiles a block; rows and columns of one product */
enum { PLANES = POINTS * POINTS, LINE = 16 }; /* LINE: else all planes fall into one cache set */

typedef struct {
    const float *x;                      /* (count, high, wide, inputs) */
    const float *gain, *shift;           /* (inputs,) of a normalisation and ReLU before, or 0 */
    const float *kernel;                 /* (PLANES, outputs / WIDE, inputs, WIDE) */
    const float *bias;                   /* (outputs,) */
    const float *shortcut;               /* as y, added to it, or 0 */
    float *y;                            /* (count, step high, step wide, outputs / step^2) */
    int count, high, wide, inputs, outputs, step, relu;
} Layer;

static v8 positive(v8 x) { return (v8)((i8)x & (i8)(x > 0)); }

static v8 load(const float *x) { return *(const v8 *)x; }

static long plane(int channels) { return (long)TOGETHER * channels + LINE; }

/* One tile of 8 channels, zeros outside the frame, into its POINTS x POINTS values. */
static void take(const Layer *a, int frame, int top, int left, int channel, float *values)
{
    v8 seen[PLANES] = {0}, half[PLANES], line[POINTS];
    const int aside = a->gain != 0;
    const v8 gain = aside ? load(a->gain + channel) : (v8){0};
    const v8 shift = aside ? load(a->shift + channel) : (v8){0};
    for (int i = 0; i < POINTS; i++) {
        const int row = top + i;
        if (row < 0 || row >= a->high) continue;
        const float *from = a->x + ((long)frame * a->high + row) * a->wide * a->inputs + channel;
        for (int j = 0; j < POINTS; j++) {
            if (left + j < 0 || left + j >= a->wide) continue;
            const v8 pixel = load(from + (long)(left + j) * a->inputs);
            seen[i * POINTS + j] = aside ? positive(pixel * gain + shift) : pixel;
        }
    }
    for (int j = 0; j < POINTS; j++) analyse(seen + j, POINTS, half + j, POINTS);
    for (int i = 0; i < POINTS; i++) {
        analyse(half + i * POINTS, 1, line, 1);
        for (int j = 0; j < POINTS; j++) {
            float *to = values + (i * POINTS + j) * plane(a->inputs);
            *(v8 *)to = line[j];
            __builtin_prefetch(to + LINE, 1); /* too many planes for the processor to foresee */
        }
    }
}

/* The products of one tile and 8 outputs back to pixels, bias, shortcut and ReLU. */
static void give(const Layer *a, int frame, int top, int left, int channel, const float *products)
{
    v8 seen[PLANES], half[TILE * POINTS], line[TILE];
    const int width = a->outputs / (a->step * a->step), phase = channel / width;
    const v8 bias = load(a->bias + channel);
    for (int i = 0; i < PLANES; i++, products += plane(a->outputs)) {
        seen[i] = load(products);
        __builtin_prefetch(products + LINE);
    }
    for (int j = 0; j < POINTS; j++) synthesise(seen + j, POINTS, half + j, POINTS);
    for (int i = 0; i < TILE && top + i < a->high; i++) {
        synthesise(half + i * POINTS, 1, line, 1);
        const long row = ((long)frame * a->high + top + i) * a->step + phase / a->step;
        for (int j = 0; j < TILE && left + j < a->wide; j++) {
            const long column = (long)(left + j) * a->step + phase % a->step;
            const long at = (row * a->wide * a->step + column) * width + channel % width;
            v8 pixel = line[j] + bias;
            if (a->shortcut) pixel += load(a->shortcut + at);
            *(v8 *)(a->y + at) = a->relu ? positive(pixel) : pixel;
        }
    }
}

/* (ROWS, inner) times (inner, WIDE), all of it in registers. The next rows, and a share of the next
 * columns from `ahead` on, are asked for meanwhile: waiting for them took a third of the time. */
static void product(const float *x, const float *kernel, int inner, const float *ahead, int share,
                    float *y, int stride)
{
    v8 sum[ROWS][2] = {0};
    for (int k = 0; k < inner; k++) {
        __builtin_prefetch(x + (inner + k) * ROWS);
        __builtin_prefetch(ahead + k * share);
        const v8 one = load(kernel + k * WIDE), two = load(kernel + k * WIDE + 8);
#pragma GCC unroll 6
        for (int i = 0; i < ROWS; i++) {
            sum[i][0] += x[i * inner + k] * one;
            sum[i][1] += x[i * inner + k] * two;
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < ROWS; i++) {
        *(v8 *)(y + (long)i * stride) = sum[i][0];
        *(v8 *)(y + (long)i * stride + 8) = sum[i][1];
    }
}

/* One plane of values times its kernel, `tiles` rounded up to whole ROWS. */
static void multiply(const Layer *a, int p, int tiles, const float *values, float *products)
{
    const int inputs = a->inputs, outputs = a->outputs;
    const int times = (tiles + ROWS - 1) / ROWS, share = (WIDE + times - 1) / times;
    const float *x = values + p * plane(inputs);
    float *y = products + p * plane(outputs);
    for (int j = 0; j < outputs; j += WIDE) {
        const float *kernel = a->kernel + ((long)p * outputs + j) * inputs;
        const float *next = kernel + (long)inputs * WIDE;
        for (int i = 0; i < times; i++)
            product(x + (long)i * ROWS * inputs, kernel, inputs, next + (long)i * inputs * share,
                    share, y + (long)i * ROWS * outputs + j, outputs);
    }
}

/* Floats that each thread needs to work in. */
long scratch(const Layer *a) { return PLANES * (plane(a->inputs) + plane(a->outputs)); }

/* Tiles first to last, counted over frames, rows and columns. */
static void tiles_of(const Layer *a, float *values, int first, int last)
{
    float *products = values + PLANES * plane(a->inputs);
    const int across = (a->wide + TILE - 1) / TILE, down = (a->high + TILE - 1) / TILE;
    for (int start = first; start < last; start += TOGETHER) {
        const int tiles = last - start < TOGETHER ? last - start : TOGETHER;
        for (int t = 0; t < tiles; t++) {
            const int at = start + t, row = at / across % down;
            for (int c = 0; c < a->inputs; c += 8)
                take(a, at / across / down, row * TILE - 1, at % across * TILE - 1, c,
                     values + (long)t * a->inputs + c);
        }
        for (int p = 0; p < PLANES; p++) multiply(a, p, tiles, values, products);
        for (int t = 0; t < tiles; t++) {
            const int at = start + t, row = at / across % down;
            for (int c = 0; c < a->outputs; c += 8)
                give(a, at / across / down, row * TILE, at % across * TILE, c,
                     products + (long)t * a->outputs + c);
        }
    }
}

/* All tiles, in as many parts as threads; `room` is `scratch` for each. */
void convolve(const Layer *a, float *room, long tiles, int threads)
{
#pragma omp parallel for num_threads(threads)
    for (int i = 0; i < threads; i++)
        tiles_of(a, room + i * scratch(a), tiles * i / threads, tiles * (i + 1) / threads);
}

/* A value that is used several times stays in its register: GCC loads it again, at a third of the speed. */
#define KEEP(value) __asm__("" : "+x"(value))

enum { PIXELS = 4, FEW = 3, SUMS = PIXELS * FEW }; /* sums at a time: twelve registers */

/* One row of the windows of PIXELS neighbours, added to the sums of FEW outputs each. */
static void window(const float *x, int channels, const float *kernel, int run, v8 *sums)
{
    v8 sum[PIXELS][FEW];
#pragma GCC unroll 12
    for (int i = 0; i < SUMS; i++) sum[i / FEW][i % FEW] = sums[i];
    for (int k = 0; k < run; k += 8) {
        v8 one = load(kernel + k), two = load(kernel + run + k), three = load(kernel + 2 * run + k);
        KEEP(one);
        KEEP(two);
        KEEP(three);
#pragma GCC unroll 4
        for (int p = 0; p < PIXELS; p++) {
            v8 pixel = load(x + p * channels + k);
            KEEP(pixel);
            sum[p][0] += pixel * one;
            sum[p][1] += pixel * two;
            sum[p][2] += pixel * three;
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < SUMS; i++) sums[i] = sum[i / FEW][i % FEW];
}

/* One row of the outputs of `correlate`. */
static void row_of(const float *x, int right, int channels, const float *kernel, int size, int run,
                   const float *bias, float *y, int wide, int outputs, v8 *sums)
{
    const int blocks = (wide + PIXELS - 1) / PIXELS;
    for (int o = 0; o < outputs; o += FEW) {
        const float *row = x;
        for (int i = 0; i < blocks * SUMS; i++) sums[i] = (v8){0};
        /* Row by row of the kernel: one such row stays in the nearest cache, all of it not. */
        for (int i = 0; i < size; i++, row += (long)right * channels)
            for (int b = 0; b < blocks; b++) {
                const int column = b < blocks - 1 ? b * PIXELS : wide - PIXELS;
                window(row + (long)column * channels, channels,
                       kernel + ((long)o * size + i * FEW) * run, run, sums + b * SUMS);
            }
        for (int i = 0; i < blocks * SUMS; i++) {
            const int b = i / SUMS, column = b < blocks - 1 ? b * PIXELS : wide - PIXELS;
            float total = bias[o + i % FEW];
            for (int k = 0; k < 8; k++) total += sums[i][k];
            y[(long)(column + i % SUMS / FEW) * outputs + o + i % FEW] = total;
        }
    }
}

/* (count, high, wide, outputs) of a size x size kernel (outputs / FEW, size, FEW, run) over padded x
 * (count, below, right, channels). `run` is size x channels rounded up to 8, zeros beyond;
 * wide >= PIXELS, outputs a multiple of FEW. */
void correlate(const float *x, int below, int right, int channels, const float *kernel, int size,
               int run, const float *bias, float *y, int count, int high, int wide, int outputs,
               int threads)
{
    const int lines = (wide + PIXELS - 1) / PIXELS * SUMS;
#pragma omp parallel for num_threads(threads)
    for (int at = 0; at < count * high; at++) {
        v8 sums[lines];
        row_of(x + ((long)(at / high) * below + at % high) * right * channels, right, channels,
               kernel, size, run, bias, y + (long)at * wide * outputs, wide, outputs, sums);
    }
}
