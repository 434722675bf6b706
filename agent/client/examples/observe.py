"""How a Python application tells the agent how its model does; nothing but the standard library."""

import json
import math
import socket
import time


class ModelObserver:
    """observe() never raises: an application runs on, with an agent or without."""

    def __init__(self, state_dir, model):
        self.path = f"{state_dir}/health.sock"
        self.model = model
        self.wants_inputs = False
        self.socket = None

    def observe(self, latency_ms, outputs, inputs=None):
        """outputs, inputs: real values, flat, by name; inputs where wants_inputs says so."""
        line = {"model": self.model, "latencyMs": finite(latency_ms)}
        line["outputs"] = {name: [finite(v) for v in values] for name, values in outputs.items()}
        if inputs is not None and self.wants_inputs:
            line["inputs"] = {name: [finite(v) for v in values] for name, values in inputs.items()}
        try:
            if self.socket is None:
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.settimeout(1.0)
                self.socket.connect(self.path)
                self.answers = self.socket.makefile("r", encoding="utf-8")
            self.socket.sendall(b"observe " + json.dumps(line).encode() + b"\n")
            answer = json.loads(self.answers.readline() or "{}")
            self.wants_inputs = answer.get("inputs", False)
            return answer
        except (OSError, ValueError):
            self.socket = None  # The next one tries again.
            return {}


def finite(value):
    """JSON has no NaN: it is said as null."""
    return float(value) if math.isfinite(value) else None


if __name__ == "__main__":
    import sys

    observer = ModelObserver(sys.argv[1], sys.argv[2])
    for i in range(int(sys.argv[3])):
        started = time.monotonic()
        x, y = [i % 7 / 7, 0.5, -1.0], [0.25, 0.75]  # Here the model would run.
        elapsed = 1000 * (time.monotonic() - started)
        print(json.dumps(observer.observe(elapsed, {"scores": y}, {"x": x})))
