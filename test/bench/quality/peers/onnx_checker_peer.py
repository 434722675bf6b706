"""Holds .onnx files against the standard: paths in JSON in, what is wrong with each, or null, out."""

import json
import sys

import onnx


def complaint(path):
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model, full_check=True)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:
        return str(error).split("\n")[0] or repr(error)
    return None


print(json.dumps([complaint(path) for path in json.loads(sys.argv[1])]))
