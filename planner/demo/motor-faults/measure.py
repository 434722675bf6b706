"""Check and measure model.tflite, and measure the official converter's int8 models as an outside baseline.

    python train.py && python measure.py

Prints one JSON object and writes nothing. Accuracy and agreement (same top class as the float model) are
fractions of test.npz; sqnrDb is the signal-to-noise ratio of the probabilities against the float model's.
"""

import json
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from synthesize import HERE, PER_CLASS
from train import converter

OPERATORS = {
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "MEAN", "ADD", "MUL", "RESHAPE", "SOFTMAX", "PAD",
}  # fmt: skip


def check(content: bytes) -> list[str]:
    """The operators in order; fails on one that the demo does not promise or on tensors other than float32."""
    plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=plain)
    interpreter.allocate_tensors()
    operators = interpreter._get_ops_details()
    names = [operator["op_name"] for operator in operators]
    axes = {int(operator["inputs"][1]) for operator in operators if operator["op_name"] == "MEAN"}
    touched = {int(index) for operator in operators for index in (*operator["inputs"], *operator["outputs"])}
    other = [t for t in interpreter.get_tensor_details() if t["index"] in touched - axes and t["dtype"] is not np.float32]
    assert set(names) <= OPERATORS, names
    assert not other, other
    return names


def probabilities(content: bytes, x: np.ndarray) -> np.ndarray:
    """[samples, classes] float32 from LiteRT, quantizing and dequantizing at the edges where the model is int8."""
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


def int8(model: keras.Model, calibration: np.ndarray, per_channel: bool) -> bytes:
    quantizing = converter(model)
    quantizing.optimizations = [tf.lite.Optimize.DEFAULT]
    quantizing.representative_dataset = lambda: ([sample[None]] for sample in calibration)
    quantizing.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    quantizing.inference_input_type = quantizing.inference_output_type = tf.int8
    quantizing._experimental_disable_per_channel = not per_channel
    return quantizing.convert()


def compare(content: bytes, x: np.ndarray, y: np.ndarray, reference: np.ndarray) -> dict[str, float | None]:
    output = probabilities(content, x)
    choice = output.argmax(1)
    error = float(((output - reference) ** 2).sum())
    return {
        "bytes": len(content),
        "accuracy": round(float((choice == y).mean()), 4),
        "agreement": round(float((choice == reference.argmax(1)).mean()), 4),
        "sqnrDb": round(10 * np.log10(float((reference**2).sum()) / error), 1) if error else None,
    }


def main() -> None:
    calibration = np.load(HERE / "calibration.npz")["x"].astype(np.float32)
    test = np.load(HERE / "test.npz")
    x, y = test["x"].astype(np.float32), test["y"]
    model = keras.models.load_model(HERE / "model.keras")
    content = (HERE / "model.tflite").read_bytes()
    healthy = calibration[:: len(calibration) // PER_CLASS["calibration"]]  # classes are interleaved, healthy first
    candidates = {
        "float32": content,
        "int8 per channel": int8(model, calibration, True),
        "int8 per tensor": int8(model, calibration, False),
        "int8 per channel, calibrated on healthy motors only": int8(model, healthy, True),
        "int8 per channel, calibrated on one sample": int8(model, calibration[:1], True),
    }
    reference = probabilities(content, x)
    variants = {name: compare(candidate, x, y, reference) for name, candidate in candidates.items()}
    print(json.dumps({"operators": check(content), "variants": variants}, indent=2))


if __name__ == "__main__":
    main()
