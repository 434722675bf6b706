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


class Samples(CalibrationDataReader):
    def __init__(self, request):
        self.columns = np.load(request["samples"])
        info = onnxruntime.InferenceSession(request["model"]).get_inputs()[0]
        self.name = info.name
        self.values = self.columns[self.columns.files[0]].astype(np.float32)
        self.at = 0

    def get_next(self):
        if self.at >= len(self.values):
            return None
        self.at += 1
        return {self.name: self.values[self.at - 1 : self.at]}


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
