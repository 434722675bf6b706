"""Runs the updater tests of python-tuf, TUF's reference implementation, against our client.

    npm run conformance

Their repository simulator is served over HTTP; their `Updater` is replaced by one that asks our client.
Prints one line per test that does not pass; exit code 1 when one is not among the expected.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
import unittest
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SOURCE, CLIENT = sys.argv[1], sys.argv[2:]
sys.path.insert(0, SOURCE)

import tuf.ngclient  # noqa: E402
from tuf.api import exceptions as tuf_errors  # noqa: E402
from tuf.api.metadata import TargetFile  # noqa: E402

MODULES = [
    "tests.test_updater_top_level_update",
    "tests.test_updater_key_rotations",
    "tests.test_updater_delegation_graphs",
    "tests.test_updater_consistent_snapshot",
]

#: Test → why it does not apply to a client that is another process, or differs on purpose.
WATCHES = "watches python's own open() calls: our client is another process"
HISTORY = "python-tuf keeps all intermediate roots and walks them again; we keep the newest, twice"
BLOCKS = "fetches target files by their path, hash-prefixed or not as configured; ours are named by digest and come in blocks"
EXPECTED = {
    "test_updater_consistent_snapshot.TestConsistentSnapshot.test_download_targets": BLOCKS,
    "test_updater_top_level_update.TestRefresh.test_load_metadata_from_cache": WATCHES,
    "test_updater_top_level_update.TestRefresh.test_not_loading_targets_twice": WATCHES,
    "test_updater_top_level_update.TestRefresh.test_intermediate_root_cache": HISTORY,
    "test_updater_top_level_update.TestRefresh.test_intermediate_root_cache_poisoning": HISTORY,
}


class Rollback(tuf_errors.BadVersionNumberError):
    pass


class MixAndMatch(tuf_errors.BadVersionNumberError, tuf_errors.LengthOrHashMismatchError):
    pass


class EndlessData(tuf_errors.DownloadLengthMismatchError, tuf_errors.LengthOrHashMismatchError):
    pass


class DropRequest(tuf_errors.DownloadHTTPError):
    def __init__(self, message):
        super().__init__(message, 404)


LIMITS = {
    "rootRotations": "max_root_rotations",
    "delegations": "max_delegations",
    "rootBytes": "root_max_length",
    "timestampBytes": "timestamp_max_length",
    "snapshotBytes": "snapshot_max_length",
    "targetsBytes": "targets_max_length",
}

#: Our codes in the words of python-tuf.
ERRORS = {
    "arbitrary-software": tuf_errors.UnsignedMetadataError,
    "rollback": Rollback,
    "freeze": tuf_errors.ExpiredMetadataError,
    "mix-and-match": MixAndMatch,
    "endless-data": EndlessData,
    "drop-request": DropRequest,
    "malformed-metadata": tuf_errors.RepositoryError,
}


class Server:
    """A simulator behind HTTP; what it raises becomes a status."""

    def __init__(self, simulator):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                try:
                    body = b"".join(simulator._fetch("http://localhost" + self.path))
                except tuf_errors.DownloadHTTPError as error:
                    self.send_error(error.status_code)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/metadata/"


class Updater:
    def __init__(self, metadata_dir, _url, target_dir=None, _targets=None, fetcher=None, config=None, bootstrap=None):
        self.config = config or tuf.ngclient.UpdaterConfig()
        self._server = Server(fetcher)
        self._base = [*CLIENT, "--metadata-dir", metadata_dir, "--metadata-url", self._server.url]
        root = Path(metadata_dir) / "root.json"
        if not root.exists():
            if bootstrap is None:
                raise FileNotFoundError(str(root))
            given = Path(metadata_dir).parent / "initial-root.json"
            given.write_bytes(bootstrap)
            subprocess.run([*self._base, "init", str(given)], check=True)
        self._process = subprocess.Popen([*self._base, "session"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._refreshed = False

    def refresh(self):
        self._ask({"command": "refresh"})
        self._refreshed = True

    def get_targetinfo(self, path):
        command = "find" if self._refreshed else "refresh"
        target = self._ask({"command": command, "target": path})["target"]
        self._refreshed = True
        return TargetFile.from_dict(target, path) if target else None

    def _ask(self, order):
        limits = {ours: getattr(self.config, theirs) for ours, theirs in LIMITS.items()}
        order = {**order, "now": datetime.now(timezone.utc).isoformat(), "limits": limits}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["ok"]:
            return answer
        raise ERRORS.get(answer["code"], RuntimeError)(answer["message"])

    def __del__(self):
        for stream in (self._process.stdin, self._process.stdout) if hasattr(self, "_process") else ():
            stream.close()
        if hasattr(self, "_process"):
            self._process.wait()
            self._server.http.shutdown()
            self._server.http.server_close()


class Result(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.failed = {}

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.failed[test.id()] = err

    def addError(self, test, err):
        super().addError(test, err)
        self.failed[test.id()] = err

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.failed[test.id()] = err


def main():
    tuf.ngclient.Updater = Updater
    suite = unittest.TestSuite(
        unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name)) for name in MODULES
    )
    sys.argv = sys.argv[:1]
    result = unittest.TextTestRunner(resultclass=Result, verbosity=0, stream=open(os.devnull, "w")).run(suite)
    unexpected = 0
    for name, (_kind, error, _trace) in sorted(result.failed.items()):
        short = name.split(".", 1)[1]
        reason = EXPECTED.get(short)
        unexpected += reason is None
        print(f"{'expected' if reason else 'UNEXPECTED'} {short}: {reason or repr(error)[:300]}")
    passed = result.testsRun - len(result.failed)
    print(f"{passed} of {result.testsRun} tests of python-tuf pass, {len(result.failed)} do not, {unexpected} of them unexpected")
    sys.stdout.flush()
    # Not sys.exit: servers that failed tests hold on to would wait for threads that run no more.
    os._exit(1 if unexpected else 0)


main()
