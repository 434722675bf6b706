"""Train the motor-fault classifier and write model.tflite (float32, static batch 1).

    pip install -r requirements.txt     (Python 3.12)
    python synthesize.py && python train.py && python baseline.py

Seeds are fixed and TensorFlow runs deterministically on one thread, so the same versions on the same
kind of CPU give the same file; another CPU may differ in the last bits. About N minutes on one core.
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
EPOCHS = 30
BATCH = 64
STEM = 24
BLOCKS = ((48, 1), (96, 2), (96, 1), (160, 2))  # output channels, stride of each depthwise-separable block


def normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu6")(x)


def separable(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    """Depthwise 3x3 then pointwise, as in MobileNet (Howard 2017); an identity shortcut where shapes allow."""
    shortcut = x
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = normalised(x, f"{name}_depthwise")
    x = layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_pointwise")(x)
    x = normalised(x, f"{name}_pointwise")
    same = stride == 1 and shortcut.shape[-1] == channels
    return layers.Add(name=f"{name}_add")([x, shortcut]) if same else x


def classifier(batch: int | None) -> keras.Model:
    """Input: spectrogram bytes as float32 [batch, FRAMES, BANDS, 1] in 0..255; output: class probabilities."""
    inputs = keras.Input((FRAMES, BANDS, 1), batch_size=batch, name="spectrogram")
    x = layers.Rescaling(1 / 32, offset=-3.5, name="standardise")(inputs)
    x = layers.Conv2D(STEM, 5, strides=2, padding="same", use_bias=False, name="stem")(x)
    x = normalised(x, "stem")
    for number, (channels, stride) in enumerate(BLOCKS, 1):
        x = separable(x, channels, stride, f"block{number}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Dense(len(LABELS), name="logits")(x)
    return keras.Model(inputs, layers.Softmax(name="probabilities")(x), name="motor_faults")


def train() -> keras.Model:
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    x, y = dataset("train")
    held_x, held_y = dataset("validation")
    model = classifier(None)
    steps = EPOCHS * -(-len(x) // BATCH)
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(4e-3, steps), weight_decay=5e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(
        x.astype(np.float32), y, batch_size=BATCH, epochs=EPOCHS, verbose=2,
        validation_data=(held_x.astype(np.float32), held_y),
    )
    return model


def fixed_batch(model: keras.Model) -> keras.Model:
    single = classifier(1)
    single.set_weights(model.get_weights())
    return single


def main() -> None:
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    model = train()
    model.save(HERE / "model.keras")  # baseline.py converts the same weights; not committed
    (HERE / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(fixed_batch(model)).convert())


if __name__ == "__main__":
    main()
