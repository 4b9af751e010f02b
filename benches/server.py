"""Processes under measurement: starting, their processor time and memory, ending by their own id."""
import http.client
import os
import signal
import socket
import subprocess
import time

SERVER_CPU, CLIENT_CPU = "0", "1"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process on the servers' core, or on those that are named; on all of them for None."""

    def __init__(self, argv, log, env=None, cpus=SERVER_CPU):
        self.started = time.monotonic()
        pinned = ["taskset", "-c", cpus] if cpus else []
        with open(log, "ab") as out:
            self.process = subprocess.Popen([*pinned, *argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **(env or {})}, start_new_session=True)
        self.log = log

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def cpu_seconds(self):
        """Processor time of all its threads; to the nanosecond, where /proc/PID/stat knows hundredths of a second."""
        total = 0
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{thread}/schedstat") as f:
                total += int(f.read().split()[0])
        return total / 1e9

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            for line in f:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise SystemExit("no VmRSS")

    def until(self, answers, limit=60.0):
        """Seconds from the start until `answers()` is true."""
        while time.monotonic() - self.started < limit:
            if self.process.poll() is not None:
                raise SystemExit(f"it ended by itself; see {self.log}")
            try:
                if answers():
                    return time.monotonic() - self.started
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.003)
        raise SystemExit(f"no answer within {limit} s; see {self.log}")


def ask(port, method, path, headers=None, body=None):
    """(status, headers, body) of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
