"""Quantizes .tflite files with ai-edge-quantizer: a JSON list of jobs in, a JSON line of answers out."""

import json
import os
import resource
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe


def samples_of(path, model):
    """Every sample as each signature wants it, by input name; the only array stands for an only input."""
    arrays = np.load(path)
    names = [name for name in arrays.files if name != "y"]
    columns = {name: arrays[name] for name in names}
    interpreter = Interpreter(model)

    def ready(name, detail, i):
        column = columns[name if name in columns else names[0]]
        shape = [max(1, d) for d in detail["shape"]]
        return column[i].astype(detail["dtype"]).reshape(shape)

    def sample(details, i):
        return {name: ready(name, detail, i) for name, detail in details.items()}

    count = len(columns[names[0]])
    data = {}
    for key in interpreter.get_signature_list():
        details = interpreter.get_signature_runner(key).get_input_details()
        data[key] = [sample(details, i) for i in range(count)]
    return data


def build(job, data):
    peer = quantizer.Quantizer(job["model"])
    peer.load_quantization_recipe(getattr(recipe, job["recipe"])())
    ranges = peer.calibrate(data) if peer.need_calibration else None
    result = peer.quantize(ranges, enable_progress_report=False)
    result.export_model(job["output"], overwrite=True)


def run(job):
    data = samples_of(job["samples"], job["model"])
    start, used = time.perf_counter(), time.process_time()
    build(job, data)
    return {"seconds": time.perf_counter() - start, "processorSeconds": time.process_time() - used}


def answer(job):
    try:
        return run(job)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}".splitlines()[0]}


def peak_bytes():
    """As peak.ts has it: ru_maxrss counts what the parent held when it forked."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def main(jobs):
    answers = [answer(job) for job in jobs]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    whole = usage.ru_utime + usage.ru_stime
    print(json.dumps({"answers": answers, "peakBytes": peak_bytes(), "wholeProcessorSeconds": whole}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
