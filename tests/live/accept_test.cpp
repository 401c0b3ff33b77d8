// Who accepted, by whichever hook the kernel has; and whose a connection is afterwards.
#include "live/live_test.h"
#include "live/precision.h"

namespace tcpflight::test {
namespace {

// A layer that the kernel refuses is the one below: what is seen is the same.
class Layers : public LiveTest, public testing::WithParamInterface<const char *> {};

TEST_P(Layers, TellWhoAccepted)
{
    Tracer tracer = trace({"--layer", GetParam()});
    RecordProperty("listening", tracer.listening_line());
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v6("::"));
    Actor worker = server.fork("worker");
    const Connection c = connect(client, worker, listener, SocketAddress::v4("127.0.0.1", listener.local.port()));
    // Only types lead to the socket, and in this layer none does.
    const bool is_told = kernel_has(Precision::Memory) || tracer.listening_line().find("fentry") != std::string::npos;
    if (!is_told)
        less_precise("not who accepted");

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               is_told ? connected_child(c, server, worker) : queued_child(c, server),
                               connected_client(c, client),
                           });
}

INSTANTIATE_TEST_SUITE_P(Live, Layers, testing::Values("core", "kprobe", "fentry"),
                         [](const auto &test) { return std::string(test.param); });

class Accepted : public LiveTest {};

// The process that accepted hands the connection to its child and lets go of it: the child's system call tells.
TEST_F(Accepted, PassedByFork)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    Actor handler = server.fork("handler");
    server.close(c.child);
    EXPECT_EQ(handler.send(c.child, 10).result, 10);
    EXPECT_EQ(client.receive(c.client, 10).result, 10);
    const Step shutdown = handler.shut_down_writing(c.child);
    client.receive(c.client);

    expect_exactly(tracer,
                   {
                       Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                       connected_child(c, server).by(handler, "syscall").to("FIN_WAIT1", shutdown).to("FIN_WAIT2"),
                       connected_client(c, client).to("CLOSE_WAIT"),
                   });
}

// The same through a Unix socket, to a process that is no relative.
TEST_F(Accepted, PassedByAMessage)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor handler("handler");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    const Connection c = connect(client, server, listener);
    const ActorSocket passed = server.give(c.child, handler);
    server.close(c.child);
    EXPECT_EQ(handler.send(passed, 10).result, 10);
    EXPECT_EQ(client.receive(c.client, 10).result, 10);
    const Step shutdown = handler.shut_down_writing(passed);
    client.receive(c.client);

    expect_exactly(tracer,
                   {
                       Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                       connected_child(c, server).by(handler, "syscall").to("FIN_WAIT1", shutdown).to("FIN_WAIT2"),
                       connected_client(c, client).to("CLOSE_WAIT"),
                   });
}

// A thread of the server accepts: `pid` is the process, `tid` the thread, which stays the one that was seen when
// another thread of the same process goes on.
TEST_F(Accepted, ByAThread)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Connection first;
    first.client = client.connect(listener.local);
    const auto [first_child, first_tid] = server.accept_in_thread(listener);
    first.child = first_child;
    Connection second;
    second.client = client.connect(listener.local);
    const auto [second_child, second_tid] = server.accept_in_thread(listener);
    second.child = second_child;
    ASSERT_NE(first_tid, server.pid());
    ASSERT_NE(first_tid, second_tid);
    const Step close = server.close(first.child);
    client.receive(first.client);

    const auto accepted_in = [&](const Connection &c, pid_t tid) {
        return queued_child(c, server).by(server, "accept").in_thread(tid).accepted_here(c.child.step);
    };
    expect_exactly(
        tracer, {
                    Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                    accepted_in(first, first_tid).to("FIN_WAIT1", close).to("FIN_WAIT2").leaves("FIN_WAIT2|TIME_WAIT"),
                    connected_client(first, client).to("CLOSE_WAIT"),
                    accepted_in(second, second_tid),
                    connected_client(second, client),
                });
}

// Two connections in one process that stands between: each end has the owner that made or took it.
TEST_F(Accepted, ByAProxy)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor proxy("proxy");
    Actor client("client");
    const ActorSocket back = server.listen(SocketAddress::v4("127.0.0.1"));
    const ActorSocket front = proxy.listen(SocketAddress::v4("127.0.0.1"));
    const Connection outer = connect(client, proxy, front);
    const Connection inner = connect(proxy, server, back);

    expect_exactly(tracer, {
                               Timeline::of_listener(back).by(server, "listen").to("LISTEN"),
                               Timeline::of_listener(front).by(proxy, "listen").to("LISTEN"),
                               connected_client(outer, client),
                               connected_child(outer, proxy),
                               connected_client(inner, proxy),
                               connected_child(inner, server),
                           });
}

// Its process is gone, and the connection goes on to its end without one: it stays that process's.
TEST_F(Accepted, Orphan)
{
    Tracer tracer = trace();
    Actor server("server");
    Actor client("client");
    const ActorSocket listener = server.listen(SocketAddress::v4("127.0.0.1"));
    Actor worker = server.fork("worker");
    const Connection c = connect(client, worker, listener);
    const Timeline child = connected_child(c, server, worker);
    const Step kill = worker.kill();
    client.receive(c.client);

    expect_exactly(tracer, {
                               Timeline::of_listener(listener).by(server, "listen").to("LISTEN"),
                               Timeline(child).to("FIN_WAIT1", kill).to("FIN_WAIT2").leaves("FIN_WAIT2|TIME_WAIT"),
                               connected_client(c, client).to("CLOSE_WAIT"),
                           });
}

} // namespace
} // namespace tcpflight::test
