"""Runs the parts of a voxface job as Ray tasks, and joins them.

    python shards.py 8 localize PHOTOS --out found.jsonl

A task whose worker or node dies is started again by Ray and goes on where it was; paths must be shared by all nodes.
VOXFACE: the command, if it is not in PATH.
"""
import os
import shlex
import subprocess
import sys

import ray

COMMAND = shlex.split(os.environ.get("VOXFACE", "voxface"))


@ray.remote(num_cpus=1, max_retries=5, retry_exceptions=True)
def run_part(part: int, parts: int, arguments: list[str], folder: str) -> None:
    threads = ["--threads", "1"] if arguments[0] == "localize" else []
    subprocess.run([*COMMAND, *arguments, *threads, "--shard", f"{part}/{parts}"], check=True, cwd=folder)


def main() -> None:
    parts, arguments = int(sys.argv[1]), sys.argv[2:]
    names = [name for name in ("--out", "-o", "--json") if name in arguments]
    out = arguments[arguments.index(names[0]) + 1] if names else arguments[-1]
    ray.init()
    ray.get([run_part.remote(i + 1, parts, arguments, os.getcwd()) for i in range(parts)])
    sys.exit(subprocess.run([*COMMAND, "merge", out]).returncode)


if __name__ == "__main__":
    main()
