"""Trains a MobileNetV1-0.25 (96x96, two classes) and lets TensorFlow's own converter quantize it.

    python mobilenet.py '{"folder": "DIR"}'

Writes float32.tflite, converter_int8.tflite, calibration.npz and test.npz to the folder. The task is synthetic: is
there a figure among clutter? Seeds are fixed. It takes some four minutes on one core; the bench keeps the folder.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

TRAINING, CALIBRATION, TEST = 6000, 300, 1000
EPOCHS, BATCH = 12, 50

SIDE = 96
GRID = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def ellipse(image, rng, centre, radii, colour):
    """Paints a soft-edged ellipse."""
    y, x = ((GRID[i] - centre[i]) / radii[i] for i in (0, 1))
    cover = np.clip((1.15 - (y * y + x * x)) * 6, 0, 1)[..., None]
    image += cover * (np.asarray(colour, np.float32) - image)


def background(rng):
    """Blurred noise of several sizes, like walls, leaves and streets."""
    image = np.full((SIDE, SIDE, 3), rng.uniform(60, 190), np.float32)
    for cells in (3, 6, 12, 24, 48):
        noise = rng.normal(0, 100 / cells**0.6, (cells, cells, 3))
        image += np.kron(noise, np.ones((SIDE // cells, SIDE // cells, 1)))
    return image


def figure(image, rng):
    """A head over a body over two legs, of any size, place, tilt and clothes."""
    size = rng.uniform(0.8, 1.4)
    y, x = rng.uniform(28, 50), rng.uniform(20, 76)
    lean = rng.normal(0, 4)
    clothes, trousers = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    for side in (-1, 1):
        ellipse(image, rng, (y + 30 * size, x + side * 4.5 * size), (15 * size, 3.4 * size), trousers)
    ellipse(image, rng, (y + 8 * size, x + lean / 2), (14 * size, 8 * size), clothes)
    skin = rng.uniform((90, 60, 40), (240, 200, 170))
    ellipse(image, rng, (y - 11 * size, x + lean), (6 * size, 5 * size), skin)


def clutter(image, rng):
    """The parts of figures, put together as nobody is."""
    for _ in range(rng.integers(1, 4)):
        radii = rng.uniform(3, 16, 2)
        ellipse(image, rng, rng.uniform(0, SIDE, 2), radii, rng.uniform(0, 255, 3))


def scenes(count, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, count).astype(np.int32)
    x = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for i, present in enumerate(y):
        image = background(rng)
        clutter(image, rng)
        if present:
            figure(image, rng)
        image += rng.normal(0, 12, image.shape)
        x[i] = np.clip(image, 0, 255)
    return x, y


def normalised(x):
    """Scales that fade away leave channels silent, as long training does."""
    fading = keras.regularizers.L1(2e-4)
    x = layers.BatchNormalization(momentum=0.9, gamma_regularizer=fading, beta_regularizer=fading)(x)
    return layers.ReLU(max_value=6.0)(x)


def mobilenet(batch):
    """MobileNetV1 (Howard et al. 2017) at a quarter of its width."""
    inputs = keras.Input((SIDE, SIDE, 3), batch_size=batch, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = normalised(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x))
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)):
        x = normalised(layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x))
        x = normalised(layers.Conv2D(channels, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Softmax()(layers.Dense(2)(x)))


def trained():
    x, y = scenes(TRAINING, 1)
    model = mobilenet(None)
    rate = keras.optimizers.schedules.CosineDecay(4e-3, EPOCHS * -(-TRAINING // BATCH))
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=1e-2), loss="sparse_categorical_crossentropy")
    model.fit(x.astype(np.float32), y, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    single = mobilenet(1)
    single.set_weights(model.get_weights())
    return single


def int8(model, samples):
    quantizing = tf.lite.TFLiteConverter.from_keras_model(model)
    quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
    quantizing.representative_dataset = lambda: ([sample[None]] for sample in samples)
    quantizing.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    quantizing.inference_input_type = quantizing.inference_output_type = tf.int8
    return quantizing.convert()


def main(request):
    folder = Path(request["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(2026)
    model = trained()
    calibration, _ = scenes(CALIBRATION, 2)
    x, y = scenes(TEST, 3)
    float32 = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    (folder / "converter_int8.tflite").write_bytes(int8(model, calibration.astype(np.float32)))
    np.savez_compressed(folder / "calibration.npz", x=calibration)
    np.savez_compressed(folder / "test.npz", x=x, y=y)
    # Last: where this file is, all are.
    (folder / "float32.tflite").write_bytes(float32)
    print(json.dumps({"done": True}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
