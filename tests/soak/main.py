"""Many mixed connections from many processes: does each come out with its owner, its path and its end?"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import generator, judge


def prepare_network(lossy_port, dropped_port):
    def set_sysctl(name, value):
        path = f"/proc/sys/net/ipv4/{name}"
        if os.path.exists(path):
            with open(path, "w", encoding="ascii") as file:
                file.write(value)

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    set_sysctl("ip_local_port_range", "10000 65535")
    set_sysctl("tcp_syn_retries", "1")
    set_sysctl("tcp_syn_linear_timeouts", "0")
    subprocess.run(
        ["nft", "table inet soak { chain arriving { type filter hook input priority 0;"
         f" tcp dport {dropped_port} drop;"
         # Not in the handshake: a connect that is given up is another kind.
         f" tcp flags & syn == 0 tcp dport {lossy_port} numgen random mod 100 < 5 drop;"
         f" tcp flags & syn == 0 tcp sport {lossy_port} numgen random mod 100 < 5 drop;"
         " }; }"], check=True)


def start_tracer(binary, trace):
    tracer = subprocess.Popen([binary, "--format", "json", "-B", "262144"], stdout=trace, stderr=subprocess.PIPE,
                              text=True)
    first = tracer.stderr.readline()
    if "listening" not in first:
        sys.exit(f"soak: tcpflight does not listen: {first}{tracer.stderr.read()}")
    return tracer


def closing_sockets():
    """How many sockets of this namespace have not come to their end: a FIN that is lost again and again takes a while."""
    listen, time_wait = "0A", "06"
    with open("/proc/net/tcp", encoding="ascii") as sockets:
        return sum(line.split()[3] not in (listen, time_wait) for line in list(sockets)[1:])


def wait_until_quiet(path):
    """All connections closed, and nothing new for two seconds."""
    deadline = time.monotonic() + 120
    while closing_sockets() and time.monotonic() < deadline:
        time.sleep(0.2)
    size = -1
    while os.path.getsize(path) != size:
        size = os.path.getsize(path)
        time.sleep(2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tcpflight", default="build/tcpflight", help="the program (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=200_000, help="how many (default: %(default)s)")
    parser.add_argument("--keep", metavar="FILE", help="keep the trace here if there are exceptions")
    parser.add_argument("--workers", type=int, default=16, help="client processes (default: %(default)s)")
    options = parser.parse_args()

    prepare_network(generator.PORTS["lossy"], generator.DROPPED_PORT)
    with tempfile.TemporaryDirectory(prefix="tcpflight-soak.") as folder:
        trace_path = os.path.join(folder, "trace.json")
        with open(trace_path, "w", encoding="ascii") as trace:
            tracer = start_tracer(options.tcpflight, trace)
        servers = generator.start_servers()
        begin = time.monotonic()
        logs = generator.run_clients(options.workers, options.connections, folder)
        took = time.monotonic() - begin
        wait_until_quiet(trace_path)
        tracer.send_signal(signal.SIGINT)
        totals = tracer.communicate()[1]
        for server in servers:
            os.kill(server, signal.SIGKILL)
            os.waitpid(server, 0)
        exceptions, looked_at = judge.judge(logs, trace_path, servers)
        if exceptions and options.keep:
            shutil.copyfile(trace_path, options.keep)

    sys.stderr.write(totals)
    for (kind, side, what), ends in sorted(exceptions.items()):
        print(f"{len(ends):8} {kind}, {side}: {what} (for example {ends[0]})")
    print(f"soak: {looked_at} connections in {took:.0f} s, {sum(map(len, exceptions.values()))} exceptions")
    sys.exit(1 if exceptions or looked_at == 0 else 0)
