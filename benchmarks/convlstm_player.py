"""A contestant of benchmarks/convlstm.py: `convlstm_player.py BACKEND WEIGHTS`, tasks on stdin."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

# As the train stage's layer: a batch of 32 windows of 8 frames, states on an eighth of 64 px.
CLIPS, FRAMES, SIZE, CHANNELS, HIDDEN, CLASSES = 32, 8, 8, 24, 24, 5
RNG = np.random.default_rng(0)
FRAMES_IN = RNG.random((CLIPS, FRAMES, SIZE, SIZE, CHANNELS), dtype=np.float32)
LABELS = np.arange(CLIPS) % CLASSES


def pallor(weights: Path) -> dict[str, Callable[[], object]]:
    """Our layer; writes the weights that the others read."""
    import torch
    from torch.nn import functional

    from models import ConvLSTM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    layer, head = ConvLSTM(CHANNELS, HIDDEN), torch.nn.Linear(HIDDEN, CLASSES)
    frames = torch.from_numpy(FRAMES_IN).permute(0, 1, 4, 2, 3).contiguous()
    labels = torch.from_numpy(LABELS)
    kernel = layer.weight.detach().permute(2, 3, 1, 0).numpy()  # (3, 3, C + D, 4 D)
    np.savez(weights, kernel=kernel[:, :, :CHANNELS],
             recurrent=kernel[:, :, CHANNELS:], bias=layer.bias.detach().numpy(),
             head=head.weight.detach().T.numpy(), head_bias=head.bias.detach().numpy())  # fmt: skip
    with torch.inference_mode():
        states = layer(frames).permute(0, 1, 3, 4, 2).numpy()
    np.save(weights.with_name("states_pallor.npy"), states)
    optimiser = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=1e-3)

    def train() -> None:
        optimiser.zero_grad()
        scores = head(layer(frames)[:, -1].mean((-2, -1)))
        functional.cross_entropy(scores, labels).backward()
        optimiser.step()

    @torch.inference_mode()
    def infer() -> None:
        head(layer(frames)[:, -1].mean((-2, -1)))

    return {"train": train, "infer": infer, "floor": _floor()}


def _floor() -> Callable[[], object]:
    # The convolutions of a training step and nothing else.
    import torch
    from torch.nn import functional

    both = torch.rand(CLIPS, CHANNELS + HIDDEN, SIZE, SIZE, requires_grad=True)
    weight = torch.rand(4 * HIDDEN, CHANNELS + HIDDEN, 3, 3, requires_grad=True)
    bias, upward = (
        torch.rand(4 * HIDDEN, requires_grad=True),
        torch.rand(CLIPS, 4 * HIDDEN, SIZE, SIZE),
    )

    def floor() -> None:
        for _ in range(FRAMES):
            torch.autograd.grad(
                functional.conv2d(both, weight, bias, padding=1), (both, weight, bias), upward
            )

    return floor


def keras_model(backend: str, weights: Path) -> dict[str, Callable[[], object]]:
    """Keras' own layer and its own training loop, `train_on_batch` and `predict_on_batch`."""
    import keras

    if backend == "torch":
        import torch

        torch.set_num_threads(1)
    else:
        import tensorflow

        tensorflow.config.threading.set_intra_op_parallelism_threads(1)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    given = np.load(weights)
    inputs = keras.Input((FRAMES, SIZE, SIZE, CHANNELS))
    layer = keras.layers.ConvLSTM2D(
        HIDDEN, 3, padding="same", recurrent_activation="sigmoid", return_sequences=True
    )
    states = layer(inputs)
    last = keras.layers.GlobalAveragePooling2D()(states[:, -1])
    head = keras.layers.Dense(CLASSES)
    model = keras.Model(inputs, head(last))
    layer.set_weights([given["kernel"], given["recurrent"], given["bias"]])
    head.set_weights([given["head"], given["head_bias"]])
    seen = keras.ops.convert_to_numpy(keras.Model(inputs, states).predict_on_batch(FRAMES_IN))
    np.save(weights.with_name(f"states_{backend}.npy"), seen)
    model.compile(
        keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return {
        "train": lambda: model.train_on_batch(FRAMES_IN, LABELS),
        "infer": lambda: model.predict_on_batch(FRAMES_IN),
    }


def main() -> None:
    """Answer each task with `ms` and the CPU-milliseconds it took a clip."""
    backend, weights = sys.argv[1], Path(sys.argv[2])
    tasks = pallor(weights) if backend == "pallor" else keras_model(backend, weights)
    tasks["ready"] = lambda: None
    for line in sys.stdin:
        before = time.process_time()
        tasks[line.strip()]()
        print("ms", 1000 * (time.process_time() - before) / CLIPS, flush=True)


if __name__ == "__main__":
    main()
