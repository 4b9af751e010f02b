"""wrk on the client's core, and what it says."""
import json
import os
import subprocess

from server import CLIENT_CPU

HERE = os.path.dirname(os.path.abspath(__file__))


def wrk(port, seconds, script, env, connections=16, path="/", headers=()):
    """wrk's own figures: requests, us, refused, broken, p50 and p99 in microseconds."""
    argv = ["taskset", "-c", CLIENT_CPU, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", f"{HERE}/{script}"]
    for header in headers:
        argv += ["-H", header]
    said = subprocess.run([*argv, f"http://127.0.0.1:{port}{path}"], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    for line in said.stdout.splitlines():
        if line.startswith("JSON "):
            return json.loads(line[5:])
    raise SystemExit("wrk said:\n" + said.stdout + said.stderr)


def measured(server, port, seconds, script, env, **how):
    """wrk's figures, with the server's processor time for each request in microseconds beside."""
    before = server.cpu_seconds()
    said = wrk(port, seconds, script, env, **how)
    used = server.cpu_seconds() - before
    return {**said, "cpu_us": used / max(said["requests"], 1) * 1e6, "rps": said["requests"] / (said["us"] / 1e6)}
