"""Runs .tflite files in ai-edge-litert: a JSON list of jobs in, a JSON line of answers out."""

import json
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

KERNELS = {
    "xnnpack": OpResolverType.AUTO,
    "builtin": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    "reference": OpResolverType.BUILTIN_REF,
}


def run(job):
    """Answers every sample of the only input with the only output, as the file stores them."""
    samples = np.load(job["samples"])["x"]
    interpreter = Interpreter(job["model"], experimental_op_resolver_type=KERNELS[job["kernels"]])
    interpreter.allocate_tensors()
    source, sink = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers = []
    for sample in samples:
        interpreter.set_tensor(source["index"], sample.reshape(source["shape"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(sink["index"])[0].ravel().tolist())
    return {"type": np.dtype(sink["dtype"]).name, "answers": answers}


def answer(job):
    try:
        return run(job)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}


if __name__ == "__main__":
    print(json.dumps([answer(job) for job in json.loads(sys.argv[1])]))
