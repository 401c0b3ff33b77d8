#!/usr/bin/env python3
"""scenarios.py NAME: makes one kind of TCP connection, inside the network namespace that golden_capture gives it."""

import errno
import os
import signal
import socket
import struct
import subprocess
import sys
import time


def wait_for_close():
    time.sleep(0.1)  # the capture ends with the command: leave time for what the kernel does after the last call


def pair(family=socket.AF_INET, host="127.0.0.1", listen_on=None):
    """A connected (listener, client, server)."""
    listener = socket.socket(family)
    listener.bind((listen_on or host, 0))
    listener.listen()
    port = listener.getsockname()[1]
    client = socket.create_connection((host, port))
    server, _ = listener.accept()
    return listener, client, server


def orderly():
    for client_first in (True, False):
        listener, client, server = pair()
        first, second = (client, server) if client_first else (server, client)
        client.sendall(b"question")
        server.recv(100)
        first.close()
        second.recv(100)
        second.close()
        listener.close()
    wait_for_close()


def families():
    for host, listen_on, family in (
        ("::1", "::1", socket.AF_INET6),
        ("127.0.0.1", "::", socket.AF_INET6),
        ("127.200.100.250", "0.0.0.0", socket.AF_INET),
    ):
        listener, client, server = pair(family, host, listen_on)
        client.close()
        server.close()
        listener.close()
    wait_for_close()


def found():
    """Sockets in several states, all of them made before the capture begins."""
    listener, client, server = pair()
    other_listener, other_client, other_server = pair()
    other_client.close()
    other_server.close()
    other_listener.close()
    server.shutdown(socket.SHUT_WR)
    client.sendall(b"not read")
    time.sleep(2)
    client.close()
    server.close()
    listener.close()
    wait_for_close()


def refused():
    client = socket.socket()
    for _ in range(2):
        assert client.connect_ex(("127.0.0.1", 1)) == errno.ECONNREFUSED
    wait_for_close()


def reset():
    listener, client, server = pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    listener.close()
    server.close()
    listener, client, server = pair()
    client.sendall(b"unread")
    time.sleep(0.05)
    server.close()
    client.close()
    listener.close()
    wait_for_close()


def drop_input(port):
    subprocess.run(
        ["nft", "add table ip drops; add chain ip drops input { type filter hook input priority 0; };"
         f" add rule ip drops input tcp dport {port} drop"], check=True)


def half_open():
    listener = socket.create_server(("127.0.0.1", 0))
    server_pid = os.fork()
    if server_pid == 0:
        server, _ = listener.accept()
        server.recv(100)
        signal.pause()
    client = socket.create_connection(listener.getsockname())
    listener.close()
    client.sendall(b"x" * 100)
    time.sleep(0.1)
    drop_input(client.getsockname()[1])
    os.kill(server_pid, signal.SIGKILL)
    os.waitpid(server_pid, 0)
    time.sleep(2)


def data_loss():
    listener, client, server = pair()
    client.sendall(b"x" * 1000)
    server.recv(2000)
    drop_input(listener.getsockname()[1])
    client.sendall(b"y" * 3000)
    time.sleep(1)
    subprocess.run(["nft", "delete table ip drops"], check=True)
    server.recv(5000)
    client.close()
    server.close()
    listener.close()
    time.sleep(0.3)


def syn_timeout():
    for name, value in (("tcp_syn_retries", 1), ("tcp_syn_linear_timeouts", 0)):
        path = f"/proc/sys/net/ipv4/{name}"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write(str(value))
    drop_input(9)
    client = socket.socket()
    assert client.connect_ex(("127.0.0.1", 9)) == errno.ETIMEDOUT
    wait_for_close()


def loss():
    """More than a small ring holds while nobody reads; then a little more, once somebody does."""
    for rounds in (40, 3):
        for _ in range(rounds):
            listener, client, server = pair()
            client.close()
            server.close()
            listener.close()
        time.sleep(0.6)


def carried():
    """Bytes in both directions, of which some are lost at first."""
    listener, client, server = pair()
    server.sendall(b"a" * 2048)
    client.recv(2048, socket.MSG_WAITALL)
    drop_input(listener.getsockname()[1])
    client.sendall(b"q" * 5000)
    time.sleep(0.7)
    subprocess.run(["nft", "delete table ip drops"], check=True)
    server.recv(5000, socket.MSG_WAITALL)
    client.close()
    server.recv(1)
    server.close()
    listener.close()
    wait_for_close()


def main():
    all_of_them = (orderly, families, refused, reset, half_open, data_loss, syn_timeout, loss, found, carried)
    scenarios = {f.__name__: f for f in all_of_them}
    if len(sys.argv) != 2 or sys.argv[1] not in scenarios:
        sys.exit(f"usage: scenarios.py {'|'.join(scenarios)}")
    scenarios[sys.argv[1]]()


main()
