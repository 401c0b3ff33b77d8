"""Holds what tcpflight told against what the generator did."""

import datetime
import json
import os
import re
from collections import Counter, defaultdict

from . import generator

HANDSHAKE = "CLOSE SYN_SENT ESTABLISHED"
BIRTH = "LISTEN SYN_RECV ESTABLISHED"
# What the end that closes first goes through: which one it is depends on whose FIN is faster. "left": no socket any
# more.
FIRST = ["FIN_WAIT1 FIN_WAIT2 FIN_WAIT2 left", "FIN_WAIT1 FIN_WAIT2 TIME_WAIT left", "FIN_WAIT1 CLOSING TIME_WAIT left"]
SECOND = ["CLOSE_WAIT LAST_ACK CLOSE"]
# What becomes of what is left, as far as the trace goes.
AFTERWARDS = ([], ["TIME_WAIT"], ["CLOSE"], ["TIME_WAIT", "CLOSE"])
# TIME_WAIT lasts a minute; timers of a minute expire up to an eighth late; and then it has to be looked for.
LONGEST_TIME_WAIT = datetime.timedelta(seconds=60 * 1.125 + 20)


def paths(begin, ends):
    return {f"{begin} {end}" for end in ends}


# Of each kind, for the client's socket and for the server's: the paths that are right, the last error, and the resets.
EXPECTED = {
    "client_first": ((paths(HANDSHAKE, FIRST), None, ()), (paths(BIRTH, SECOND), None, ())),
    "server_first": ((paths(HANDSHAKE, SECOND), None, ()), (paths(BIRTH, FIRST), None, ())),
    "lossy": ((paths(HANDSHAKE, FIRST), None, ()), (paths(BIRTH, SECOND), None, ())),
    "client_linger_0": ((paths(HANDSHAKE, ["CLOSE"]), None, ("sent linger_0",)),
                        (paths(BIRTH, ["CLOSE"]), "ECONNRESET", ("received None",))),
    "server_linger_0": ((paths(HANDSHAKE, ["CLOSE"]), "ECONNRESET", ("received None",)),
                        (paths(BIRTH, ["CLOSE"]), None, ("sent linger_0",))),
    "unread_data": ((paths(HANDSHAKE, ["CLOSE"]), "ECONNRESET", ("received None",)),
                    (paths(BIRTH, ["CLOSE"]), None, ("sent unread_data",))),
    "refused": (({"CLOSE SYN_SENT CLOSE"}, "ECONNREFUSED", ("received None",)), None),
    "timed_out": (({"CLOSE SYN_SENT CLOSE"}, "ETIMEDOUT", ()), None),
}


class Connection:
    """One socket, as far as it was told."""

    def __init__(self):
        self.path = []
        self.owner = None
        self.error = None
        self.timed_out = None
        self.resets = []
        self.incomplete = False
        self.left_at = None  # when its socket was gone, and what took its place was not
        self.afterwards = []  # the states of that

    def take(self, event):
        self.incomplete |= event["incomplete"]
        self.owner = (event["comm"], event["pid"])
        if event["event"] == "reset":
            self.resets.append(f"{event['direction']} {event['reason']}")
        elif event["event"] == "state" and self.left_at and event["time_wait_socket"]:
            self.afterwards.append(event["new_state"])
        elif event["event"] == "state":
            if not self.path:
                self.path.append(event["old_state"])
            elif self.path[-1] != event["old_state"]:
                self.path.append("?")
            self.path.append(event["new_state"])
            if event["time_wait_socket"]:
                self.path.append("left")
                self.left_at = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
            self.error = event["error"]
            self.timed_out = event.get("timed_out")


def read_trace(path):
    """Every socket's Connection by its ends, in the order of their birth; resets without one; illegal changes; and when the trace
    ends."""
    connections, order = {}, defaultdict(list)
    strays, illegal, lost, end = Counter(), Counter(), 0, None
    legal = legal_changes()
    netns = os.stat("/proc/self/ns/net").st_ino  # the rest of the host goes on meanwhile
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "lost":
                lost += event["lost_events"]
                continue
            if event["netns"] != netns:
                continue
            end = event["time"]
            ends = (event["local_addr"], event["local_port"], event["remote_addr"], event["remote_port"])
            if event["conn"] is None:
                # On other ports a segment can come late, when its connection is over.
                if ends[1] == generator.REFUSED_PORT:
                    strays[ends, event["reason"]] += 1
                continue
            if event["event"] == "state" and not event["incomplete"]:
                change = (event["old_state"], event["new_state"], event["time_wait_socket"])
                if change not in legal:
                    illegal[change] += 1
            if event["conn"] not in connections:
                connections[event["conn"]] = Connection()
                order[ends].append(connections[event["conn"]])
            connections[event["conn"]].take(event)
    return order, strays, illegal, lost, end


def legal_changes():
    """The table that the live tests use too."""
    source = generator.ROOT / "tests/support/legal_path.cpp"
    found = re.findall(r'\{"(\w+)", "(\w+)"(, true)?\}', source.read_text(encoding="ascii"))
    return {(before, after, bool(left)) for before, after, left in found}


def objections(connection, expected, owner, end):
    ways, error, resets = expected
    if connection.incomplete:
        return "incomplete"
    if connection.owner != owner:
        return f"owner {connection.owner} instead of {owner}"
    path = " ".join(connection.path)
    if path not in ways:
        return f"path {path}"
    if connection.afterwards not in AFTERWARDS:
        return f"path {path} {' '.join(connection.afterwards)}"
    if connection.left_at and "CLOSE" not in connection.afterwards and end - connection.left_at > LONGEST_TIME_WAIT:
        return "TIME_WAIT without an end"
    if connection.error != error:
        return f"error {connection.error} instead of {error}"
    if connection.timed_out != ("syn" if error == "ETIMEDOUT" else None):
        return f"timed out: {connection.timed_out}"
    if tuple(connection.resets) != resets:
        return f"resets {connection.resets} instead of {resets}"
    return None


def name(ends):
    return "{}.{} > {}.{}".format(*ends)


def judge(logs, trace, server_pids):
    """The exceptions: (kind, side, what is wrong) > whose. And how many connections were looked at."""
    order, strays, illegal, lost, end = read_trace(trace)
    end = datetime.datetime.fromisoformat(end.replace("Z", "+00:00"))
    exceptions, looked_at = defaultdict(list), 0
    for change, count in illegal.items():
        exceptions["any", "any", f"illegal change {change}"] += ["any"] * count
    if lost:
        exceptions["any", "any", "lost events"] += ["any"] * lost
    for log in logs:
        with open(log, encoding="ascii") as lines:
            for line in lines:
                kind, worker, local_port, server, port, pid = line.split()
                client_end = (generator.client_address(int(worker)), int(local_port))
                server_end = (generator.server_address(int(server)), int(port))
                looked_at += 1
                owners = ((f"soak-client-{worker}", int(pid)), (f"soak-server-{server}", server_pids[int(server)]))
                sides = zip(("client", "server"), (client_end + server_end, server_end + client_end),
                            EXPECTED[kind], owners)
                for side, ends, expected, owner in sides:
                    if expected is None:
                        continue
                    if not order[ends]:
                        exceptions[kind, side, "not seen"].append(name(ends))
                        continue
                    wrong = objections(order[ends].pop(0), expected, owner, end)
                    if wrong:
                        exceptions[kind, side, re.sub(r"\d{2,}", "N", wrong)].append(name(ends))
                if kind == "refused":
                    strays[server_end + client_end, "no_socket"] -= 1
    for (ends, reason), count in strays.items():
        if count:
            what = f"reset {reason}: one too {'many' if count > 0 else 'few'}"
            exceptions["refused", "server", what] += [name(ends)] * abs(count)
    for ends, rest in order.items():
        if rest and ends[2] is not None:
            exceptions["none", "any", "seen, but not made"] += [name(ends)] * len(rest)
    return exceptions, looked_at
