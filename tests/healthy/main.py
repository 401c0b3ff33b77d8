"""Healthy hosts get no alarm: nginx, redis-server and PostgreSQL under their own load tools, and orderly connections.

Each workload is traced with thresholds that are stricter than the defaults. Alarms are false and make the check fail;
notices (a client that closes with unread data...) are what these programs really do, and are counted."""

import argparse
import collections
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STRICTER = ["loss=5", "accept=2", "close-wait=5", "fin-wait=5", "zero-window=5", "unread=5"]


class Missing(Exception):
    """A program that a workload needs is not there."""


def program(name, folders=()):
    path = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ["PATH"], "/usr/sbin", "/sbin"]))
    if path is None:
        raise Missing(name)
    return path


def run(arguments, **options):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          **options)
    if done.returncode != 0:
        sys.exit(f"healthy: {' '.join(map(str, arguments))} failed:\n{done.stdout}")
    return done.stdout


@contextlib.contextmanager
def server(arguments, port, **options):
    """Runs until the block is left; it can be connected to when it is entered."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit(f"healthy: {arguments[0]} does not listen on port {port}")
                time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def nginx(folder, options):
    port = 8080
    config = folder / "nginx.conf"
    config.write_text(f"""daemon off; worker_processes 2; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello\\n"; }} }} }}
""", encoding="ascii")
    wrk, url, length = program("wrk"), f"http://127.0.0.1:{port}/", f"-d{options.seconds}s"
    with server([program("nginx"), "-c", str(config)], port):
        run([wrk, "-t1", "-c50", length, url])
        run([wrk, "-t1", "-c50", length, "-H", "Connection: close", url])


def redis(folder, _options):
    port = 6380
    benchmark = [program("redis-benchmark"), "-p", str(port), "-q", "-t", "ping,set,get"]
    with server([program("redis-server"), "--port", str(port), "--save", "", "--dir", str(folder)], port):
        run([*benchmark, "-n", "100000", "-c", "50"])
        run([*benchmark, "-n", "5000", "-c", "50", "-k", "0"])  # a connection for each request


def postgresql(folder, options):
    port = "5433"
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    try:
        user = pwd.getpwnam("postgres")  # it refuses to run as root
    except KeyError:
        raise Missing("user postgres") from None
    data = folder / "data"
    os.chown(folder, user.pw_uid, user.pw_gid)
    become = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": folder}
    run([program("initdb", folders), "-D", data, "-A", "trust", "-N"], **become)
    pgbench = [program("pgbench", folders), "-h", "127.0.0.1", "-p", port, "-U", "postgres"]
    length = ["-T", str(options.seconds), "-c", "10", "-n"]
    with server([program("postgres", folders), "-D", str(data), "-p", port, "-k", str(folder), "-F"], int(port),
                **become):
        run([*pgbench, "-i", "-q", "postgres"])
        run([*pgbench, *length, "postgres"])
        run([*pgbench, *length, "-C", "-S", "postgres"])  # a connection for each transaction


def orderly(_folder, options):
    """Connections that are opened, used and closed as they should be, from either end."""
    servers = 4
    each = options.connections // servers
    children = []
    for number in range(servers):
        listener = socket.create_server(("127.0.0.1", 9000 + number), backlog=128)
        if (child := os.fork()) == 0:
            for i in range(each):
                connection, _ = listener.accept()
                connection.recv(1)
                connection.sendall(b"x")
                if i % 2:
                    connection.recv(1)
                connection.close()
            os._exit(0)
        children.append(child)
        listener.close()
        if (child := os.fork()) == 0:
            for i in range(each):
                connection = socket.create_connection(("127.0.0.1", 9000 + number))
                connection.sendall(b"x")
                connection.recv(1)
                if not i % 2:
                    connection.recv(1)
                connection.close()
            os._exit(0)
        children.append(child)
    for child in children:
        if os.waitpid(child, 0)[1] != 0:
            sys.exit("healthy: a process of the orderly connections failed")


WORKLOADS = {"nginx": nginx, "redis": redis, "postgresql": postgresql, "orderly": orderly}


def check(name, options, netns):
    """The alarms of a workload."""
    with tempfile.TemporaryDirectory(prefix="healthy.") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        arguments = [options.tcpflight, "--format", "json", "--verdicts", "all", "-B", "65536", "--sweep", "1"]
        for threshold in STRICTER:
            arguments += ["--threshold", threshold]
        trace = folder / "trace"
        with trace.open("w", encoding="utf-8") as out:
            tracer = subprocess.Popen(arguments, stdout=out, stderr=subprocess.PIPE, text=True)
            if "listening" not in (first := tracer.stderr.readline()):
                sys.exit(f"healthy: tcpflight does not listen: {first}{tracer.stderr.read()}")
            try:
                WORKLOADS[name](folder, options)
                time.sleep(2 * options.pause)  # two looks more
            finally:
                tracer.send_signal(signal.SIGINT)
                _, said = tracer.communicate()
        verdicts, ends, alarms, lost = collections.Counter(), 0, [], 0
        with trace.open(encoding="utf-8") as lines:
            for line in lines:
                if '"event":"lost"' in line:
                    lost += json.loads(line)["lost_events"]
                if '"event":"verdict"' not in line:
                    continue
                verdict = json.loads(line)
                if verdict["netns"] != netns:
                    continue  # the rest of the host
                ends += verdict["ended"]
                verdicts[verdict["verdict"]] += 1
                if verdict["severity"] == "alarm":
                    alarms.append(line)
        if tracer.returncode != 0:
            sys.exit(f"healthy: tcpflight failed: {said}")
        kinds = ", ".join(f"{count} {kind}" for kind, count in verdicts.most_common())
        print(f"{name}: {ends} ends, {len(alarms)} alarms, {lost} events lost ({kinds})", flush=True)
        sys.stdout.writelines(alarms[:10])
        if ends == 0:
            sys.exit(f"healthy: nothing was seen of {name}")
        return len(alarms)


def main():
    parser = argparse.ArgumentParser(prog="tools/healthy", description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=", ".join(WORKLOADS) + "; default: all")
    parser.add_argument("--seconds", type=int, default=5, help="for each load of nginx and PostgreSQL (default: 5)")
    parser.add_argument("--connections", type=int, default=100_000, help="orderly ones (default: 100000)")
    parser.add_argument("--pause", type=float, default=1.5, help=argparse.SUPPRESS)
    parser.add_argument("--tcpflight", default="build/tcpflight", help="the program (default: %(default)s)")
    options = parser.parse_args()
    if unknown := [name for name in options.workloads if name not in WORKLOADS]:
        parser.error(f"'{unknown[0]}' is no workload: give {', '.join(WORKLOADS)}")
    run([program("ip"), "link", "set", "lo", "up"])
    netns = os.stat("/proc/self/ns/net").st_ino
    Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("10000 65535", encoding="ascii")
    false = 0
    for name in options.workloads or WORKLOADS:
        try:
            false += check(name, options, netns)
        except Missing as missing:
            print(f"{name}: skipped: {missing} is not here: sudo tools/install-deps servers", flush=True)
    sys.exit(1 if false else 0)
