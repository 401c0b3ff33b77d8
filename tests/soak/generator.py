"""Makes connections of many kinds, from many processes, and writes down what it did."""

import contextlib
import errno
import os
import random
import select
import socket
import struct
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVERS = 4
# What a server does with a connection follows from the port.
PORTS = {"client_first": 7001, "server_first": 7002, "client_linger_0": 7003, "server_linger_0": 7004,
         "unread_data": 7005, "lossy": 7006}
REFUSED_PORT = 7099
DROPPED_PORT = 7098
# Per mille of the connections; what is left is closed by the client.
MIX = {"server_first": 250, "client_linger_0": 100, "server_linger_0": 100, "unread_data": 50, "lossy": 20,
       "refused": 100, "timed_out": 1}


def server_address(number):
    return f"127.0.2.{number + 1}"


def client_address(number):
    return f"127.0.1.{number + 1}"


def name_process(name):
    with open("/proc/self/comm", "w", encoding="ascii") as file:
        file.write(name)


def reset_on_close(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def serve_one(kind, sock):
    if kind == "unread_data":
        select.select([sock], [], [])  # it came, and nobody reads it
        return
    sock.recv(1)
    if kind == "server_linger_0":
        reset_on_close(sock)
        return
    if kind == "server_first":
        return
    sock.sendall(b"a")
    with contextlib.suppress(ConnectionResetError):
        while sock.recv(1):
            pass


def serve(number, ready):
    """One connection after the other, from all of its listeners, until it is killed."""
    name_process(f"soak-server-{number}")
    listeners = {}
    for kind, port in PORTS.items():
        listener = socket.create_server((server_address(number), port), backlog=1024)
        listeners[listener] = kind
    os.write(ready, b"r")
    while True:
        for listener in select.select(list(listeners), [], [])[0]:
            sock, _ = listener.accept()
            with sock:
                serve_one(listeners[listener], sock)


def choose(generator):
    draw = generator.randrange(1000)
    for kind, share in MIX.items():
        if draw < share:
            return kind
        draw -= share
    return "client_first"


def connect(kind, sock, remote):
    """True if the connection was made."""
    error = sock.connect_ex(remote)
    if error == 0:
        return True
    expected = {"refused": "ECONNREFUSED", "timed_out": "ETIMEDOUT"}.get(kind)
    if expected != errno.errorcode[error]:
        raise OSError(error, f"{kind}: {os.strerror(error)}")
    return False


def make(kind, sock, remote):
    if not connect(kind, sock, remote):
        return
    with contextlib.suppress(ConnectionResetError):
        sock.sendall(b"q")
        if sock.recv(1) and kind == "client_linger_0":
            reset_on_close(sock)


def work(number, count, log_path):
    """`count` connections; each one's kind, ends and maker go into the log."""
    name_process(f"soak-client-{number}")
    generator = random.Random(number)
    with open(log_path, "w", encoding="ascii") as log:
        for _ in range(count):
            kind = choose(generator)
            port = {"refused": REFUSED_PORT, "timed_out": DROPPED_PORT}.get(kind) or PORTS[kind]
            server = generator.randrange(SERVERS)
            with socket.socket() as sock:
                sock.bind((client_address(number), 0))
                local = sock.getsockname()
                make(kind, sock, (server_address(server), port))
            log.write(f"{kind} {number} {local[1]} {server} {port} {os.getpid()}\n")


def in_child(function, *arguments):
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        function(*arguments)
        status = 0
    except BaseException:  # noqa: BLE001: a child never returns into its parent's code
        traceback.print_exc()
    finally:
        os._exit(status)


def start_servers():
    read, write = os.pipe()
    pids = [in_child(serve, number, write) for number in range(SERVERS)]
    for _ in pids:
        os.read(read, 1)
    return pids


def run_clients(workers, connections, folder):
    """Blocks until all are done; the paths of their logs."""
    logs = [os.path.join(folder, f"client-{number}.log") for number in range(workers)]
    pids = [in_child(work, number, connections // workers, logs[number]) for number in range(workers)]
    failed = [pid for pid in pids if os.waitpid(pid, 0)[1] != 0]
    if failed:
        raise RuntimeError(f"{len(failed)} of {workers} clients failed")
    time.sleep(1)  # for the last FINs, and a time-out that repeats one
    return logs
