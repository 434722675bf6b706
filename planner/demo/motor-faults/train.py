"""Train the motor-fault classifier and write model.tflite (float32, static batch 1).

    python3.11 -m venv env && env/bin/pip install -r requirements.txt
    env/bin/python synthesize.py && env/bin/python train.py && env/bin/python measure.py

Seeds are fixed and TensorFlow runs deterministically on one thread: the same versions on the same kind of
CPU write the same bytes; another CPU may differ in the last bits of a weight. About five minutes on one core.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from synthesize import BANDS, FRAMES, HERE, LABELS, dataset

SEED = 2026
EPOCHS, BATCH = 12, 64
LEARNING_RATE, DECAY = 4e-3, 2e-2
STEM = 24
BLOCKS = ((48, 1), (96, 2), (96, 1), (160, 2))  # output channels and stride of each depthwise-separable block

# Long training leaves MobileNets with channels that never fire. Batch normalisation divides those by about
# sqrt(epsilon), so after folding their depthwise kernels dwarf the others, and one scale for the whole tensor
# no longer serves (Sheng et al. 2018, A Quantization-Friendly Separable Convolution for MobileNets). A penalty on
# scale and shift (Liu et al. 2017, Network Slimming) brings that state about within minutes.
SPARSITY, EPSILON = 2e-4, 1e-6


def normalised(x: keras.KerasTensor, name: str, sparse: bool) -> keras.KerasTensor:
    penalty = keras.regularizers.L1(SPARSITY) if sparse else None
    x = layers.BatchNormalization(
        momentum=0.95, epsilon=EPSILON, gamma_regularizer=penalty, beta_regularizer=penalty, name=f"{name}_norm"
    )(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x)


def separable(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    """Depthwise 3x3 then pointwise (Howard et al. 2017, MobileNets); an identity shortcut where shapes allow."""
    shortcut = x
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = normalised(x, f"{name}_depthwise", sparse=False)
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_pointwise")(x)
    x = normalised(x, f"{name}_pointwise", sparse=True)
    same = stride == 1 and shortcut.shape[-1] == channels
    return layers.Add(name=f"{name}_add")([x, shortcut]) if same else x


def classifier(batch: int | None) -> keras.Model:
    """Input: spectrogram bytes as float32 [batch, FRAMES, BANDS, 1] in 0..255; output: class probabilities."""
    inputs = keras.Input((FRAMES, BANDS, 1), batch_size=batch, name="spectrogram")
    x = layers.Rescaling(1 / 32, offset=-3.5, name="standardise")(inputs)
    x = layers.Conv2D(STEM, 5, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem", sparse=True)
    for number, (channels, stride) in enumerate(BLOCKS, 1):
        x = separable(x, channels, stride, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(len(LABELS), name="logits")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities")(x), name="motor_faults")


def undecayed(model: keras.Model) -> list[keras.Variable]:
    """Depthwise kernels have too few weights to need decay (Howard et al. 2017, section 3.2)."""
    free = (layers.DepthwiseConv2D, layers.BatchNormalization)
    return [weight for layer in model.layers if isinstance(layer, free) for weight in layer.trainable_weights]


def train() -> keras.Model:
    x, y = dataset("train")
    held_x, held_y = dataset("validation")
    model = classifier(None)
    steps = EPOCHS * -(-len(x) // BATCH)
    optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps), weight_decay=DECAY)
    optimizer.exclude_from_weight_decay(undecayed(model))
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x.astype(np.float32), y, batch_size=BATCH, epochs=EPOCHS, verbose=2,
        validation_data=(held_x.astype(np.float32), held_y),
    )
    return model


def converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    """The official converter over these weights with the batch fixed to one."""
    keras.config.disable_interactive_logging()
    single = classifier(1)
    single.set_weights(model.get_weights())
    return tf.lite.TFLiteConverter.from_keras_model(single)


def main() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(SEED)
    model = train()
    model.save(HERE / "model.keras")  # for measure.py; git ignores it
    (HERE / "model.tflite").write_bytes(converter(model).convert())


if __name__ == "__main__":
    main()
