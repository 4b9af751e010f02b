"""The gate beside a bare actix handler that answers 204: the same requests, client and cores for both, in turn.

Each size is a database of that many keys. A round measures the bare handler and then the gate with each kind of request;
a ratio is taken within its round, and the median of the rounds is printed. `cpu_us` is the server's processor time for a
request, all its threads together: metering and the following of the change log are in it.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

from load import measured, wrk
from server import Server, ask, free_port

# Requests of a kind are asked of both; a decision is one of the questions of a batch.
KINDS = ("authorize", "verify", "batch")


def parsed():
    about = argparse.ArgumentParser(prog="scripts/bench gate", description=__doc__)
    about.add_argument("--sizes", default="1000,100000,1000000")
    about.add_argument("--kinds", default=",".join(KINDS))
    about.add_argument("--rounds", type=int, default=3)
    about.add_argument("--seconds", type=int, default=4)
    about.add_argument("--batch", type=int, default=100, help="questions in a batch")
    about.add_argument("--keep", metavar="DIR", default=os.environ.get("LATCHKEY_BENCH_DIR", "/var/tmp/latchkey-bench"),
                       help="where seeded databases are kept for the next run")
    about.add_argument("--json", metavar="FILE", help="write every measurement to this file, a line each")
    about.add_argument("--latchkey", default="target/release/latchkey")
    about.add_argument("--bare", default="target/release/latchkey-bare")
    return about.parse_args()


def seeded(args, keys):
    """The data folder with so many keys, made once."""
    folder = f"{args.keep}/{keys}"
    if not os.path.exists(f"{folder}/secrets"):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        env = {**os.environ, "LATCHKEY_DATA_DIR": f"{folder}/data"}
        made = [args.latchkey, "dev", "seed", "--keys", str(keys), "--out", f"{folder}/secrets.part"]
        print(subprocess.run(made, env=env, check=True, capture_output=True, text=True).stdout.strip(), file=sys.stderr)
        os.rename(f"{folder}/secrets.part", f"{folder}/secrets")
    return folder


# As docs/operations.md says a busy gate is started; the bare handler gets the same.
HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


def serve(args, folder):
    portal, gate = free_port(), free_port()
    env = {**HUGE_PAGES, "LATCHKEY_DATA_DIR": f"{folder}/data", "LATCHKEY_PORTAL__LISTEN": f"127.0.0.1:{portal}",
           "LATCHKEY_GATE__LISTEN": f"127.0.0.1:{gate}", "LATCHKEY_LOG__LEVEL": "warn"}
    return Server([args.latchkey, "serve"], f"{folder}/serve.log", env), gate


def is_valid(port, secret):
    _, _, body = ask(port, "POST", "/v1/verify", body=json.dumps({"secret": secret, "product": "maps"}))
    return json.loads(body)["code"] == "VALID"


def one_size(args, keys, kinds, note):
    folder = seeded(args, keys)
    with open(f"{folder}/secrets") as f:
        last = f.readlines()[-1].strip()
    bare_port = free_port()
    gate, port = serve(args, folder)
    with gate, Server([args.bare, f"127.0.0.1:{bare_port}"], f"{folder}/bare.log", HUGE_PAGES) as bare:
        ready = gate.until(lambda: is_valid(port, last))
        bare.until(lambda: ask(bare_port, "GET", "/")[0] == 204)
        note(keys=keys, kind="start", ready_s=ready, rss=gate.resident_bytes())
        for kind in kinds:
            env = {"BENCH_KIND": kind, "BENCH_SECRETS": f"{folder}/secrets", "BENCH_BATCH": str(args.batch)}
            for server, at in ((bare, bare_port), (gate, port)):       # warm
                wrk(at, 1, "gate.lua", env)
            for turn in range(args.rounds):
                env["BENCH_SEED"] = str(turn + 1)
                under = measured(bare, bare_port, args.seconds, "gate.lua", env)
                ours = measured(gate, port, args.seconds, "gate.lua", env)
                if ours["refused"] or ours["broken"] or not ours["requests"]:
                    raise SystemExit(f"{kind}: not every request was let through: {ours}")
                note(keys=keys, kind=kind, bare=under, gate=ours, ratio=ours["cpu_us"] / under["cpu_us"])
        note(keys=keys, kind="end", rss=gate.resident_bytes())


def of(rows, keys, kind):
    return [row for row in rows if row["keys"] == keys and row["kind"] == kind]


def median(rows, *path):
    def at(row):
        for name in path:
            row = row[name]
        return row
    return statistics.median(at(row) for row in rows)


def table(rows, sizes, kinds, batch):
    print(f"{'keys':>9}  {'kind':<9} {'CPU us':>7} {'bare':>6} {'ratio':>6} {'req/s':>8} {'bare':>8} {'p50 ms':>7} {'p99 ms':>7}")
    for keys in sizes:
        for kind in kinds:
            its = of(rows, keys, kind)
            print(f"{keys:>9}  {kind:<9} {median(its, 'gate', 'cpu_us'):7.2f} {median(its, 'bare', 'cpu_us'):6.2f} "
                  f"{median(its, 'ratio'):6.2f} {median(its, 'gate', 'rps'):8.0f} {median(its, 'bare', 'rps'):8.0f} "
                  f"{median(its, 'gate', 'p50') / 1e3:7.2f} {median(its, 'gate', 'p99') / 1e3:7.2f}")
            if kind == "batch":
                each = median(its, "gate", "cpu_us") / batch
                print(f"{'':>9}  {'':<9} {each:7.3f} us a decision, {1 / each:.2f} million decisions a second and core")
    for keys in sizes:
        start, end = of(rows, keys, "start")[0], of(rows, keys, "end")[0]
        print(f"{keys:>9}  ready after {start['ready_s']:.2f} s, {start['rss'] / 2**20:.0f} MiB then, {end['rss'] / 2**20:.0f} MiB after the load")
    few, many = min(sizes), max(sizes)
    if few != many:
        grown = (of(rows, many, "start")[0]["rss"] - of(rows, few, "start")[0]["rss"]) / (many - few)
        print(f"{'':>9}  {grown:.0f} bytes of memory a key, from {few} to {many}")
        for kind in kinds:
            slower = median(of(rows, many, kind), "ratio") / median(of(rows, few, kind), "ratio")
            print(f"{'':>9}  {kind} at {many} keys: {slower:.2f} of its own figure at {few}")


def main():
    args = parsed()
    sizes, kinds = [int(size) for size in args.sizes.split(",")], args.kinds.split(",")
    rows = []

    def note(**row):
        rows.append(row)
        if args.json:
            with open(args.json, "a") as f:
                f.write(json.dumps(row) + "\n")

    for keys in sizes:
        one_size(args, keys, kinds, note)
    table(rows, sizes, kinds, args.batch)


main()
