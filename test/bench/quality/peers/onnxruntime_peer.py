"""Quantizes one .onnx file with onnxruntime.quantization: a JSON request in, a JSON line with seconds and the peak out."""

import json
import os
import resource
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)


ELEMENTS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


class Samples(CalibrationDataReader):
    """Every sample as the model wants it, by input name; the only array stands for an only input."""

    def __init__(self, request):
        arrays = np.load(request["samples"])
        self.inputs = onnxruntime.InferenceSession(request["model"]).get_inputs()
        names = [info.name if info.name in arrays.files else arrays.files[0] for info in self.inputs]
        self.columns = [arrays[name] for name in names]
        self.at = 0

    def get_next(self):
        if self.at >= len(self.columns[0]):
            return None
        self.at += 1
        return {info.name: self.ready(info, column) for info, column in zip(self.inputs, self.columns)}

    def ready(self, info, column):
        row = column[self.at - 1].astype(ELEMENTS[info.type])
        return row if row.ndim == len(info.shape) else row.reshape([1] * (len(info.shape) - row.ndim) + list(row.shape))


def static(request):
    model = request["model"]
    if request.get("prepare"):
        model = request["output"] + ".prepared"
        quant_pre_process(request["model"], model, skip_symbolic_shape=True)
    quantize_static(
        model,
        request["output"],
        Samples(request),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=getattr(CalibrationMethod, request["method"]),
    )


def dynamic(request):
    quantize_dynamic(request["model"], request["output"], per_channel=True, weight_type=QuantType.QInt8)


def blocks(request):
    # Needs the package onnx-ir beside onnx.
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(
        onnx.load(request["model"]), block_size=32, is_symmetric=True, accuracy_level=4
    )
    quantizer.process()
    quantizer.model.save_model_to_file(request["output"], False)


def peak_bytes():
    """As peak.ts has it: ru_maxrss counts what the parent held when it forked."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


request = json.loads(sys.argv[1])
told = os.dup(1)
os.dup2(2, 1)
start = time.time()
{"static": static, "dynamic": dynamic, "blocks": blocks}[request["kind"]](request)
usage = resource.getrusage(resource.RUSAGE_SELF)
answer = {
    "seconds": time.time() - start,
    "processorSeconds": usage.ru_utime + usage.ru_stime,
    "peakBytes": peak_bytes(),
}
os.write(told, (json.dumps(answer) + "\n").encode())
