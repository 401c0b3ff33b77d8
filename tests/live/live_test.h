// What every live test begins with.
#pragma once

#include "live/timeline.h"
#include "live/tracer.h"
#include "support/actor.h"
#include "support/netns.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace tcpflight::test {

// A network namespace of its own, in which only this test's processes have sockets.
class LiveTest : public testing::Test {
protected:
    void SetUp() override
    {
        if (geteuid() != 0)
            GTEST_SKIP() << "needs root";
        if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
            GTEST_SKIP() << "needs a kernel with BTF (/sys/kernel/btf/vmlinux)";
        netns_ = enter_new_netns();
    }

    // tcpflight, listening.
    [[nodiscard]] Tracer trace(const std::vector<std::string> &arguments = {}) const { return {netns_, arguments}; }

    [[nodiscard]] std::uint32_t netns() const { return netns_; }

private:
    std::uint32_t netns_ = 0;
};

// Both ends of a connection.
struct Connection {
    ActorSocket client;
    ActorSocket child;
};

inline Connection connect(Actor &client, Actor &server, const ActorSocket &listener, const SocketAddress &to)
{
    Connection connection;
    connection.client = client.connect(to);
    EXPECT_EQ(connection.client.step.error, 0);
    connection.child = server.accept(listener);
    return connection;
}

inline Connection connect(Actor &client, Actor &server, const ActorSocket &listener)
{
    return connect(client, server, listener, listener.local);
}

// Both ends close, `first` first: its socket goes on to TIME_WAIT.
inline void close_in_order(Actor &first, const ActorSocket &its, Actor &second, const ActorSocket &other)
{
    first.shut_down_writing(its);
    second.receive(other);
    second.close(other);
    first.receive(its);
    first.close(its);
}

// How a client, and the socket that accept() gives to its server, come to ESTABLISHED.
inline Timeline connected_client(const Connection &connection, const Actor &client)
{
    const Step &connecting = connection.client.step;
    return Timeline::of_client(connection.client)
        .by(client, "connect")
        .to("SYN_SENT", connecting)
        .to("ESTABLISHED", connecting);
}

inline Timeline queued_child(const Connection &connection, const Actor &listener)
{
    const Step &connecting = connection.client.step;
    return Timeline::of_child(connection.child)
        .by(listener, "inherited")
        .to("SYN_RECV", connecting)
        .to("ESTABLISHED", connecting);
}

inline Timeline connected_child(const Connection &connection, const Actor &listener, const Actor &worker)
{
    return queued_child(connection, listener).accepted(worker, connection.child.step);
}

inline Timeline connected_child(const Connection &connection, const Actor &server)
{
    return connected_child(connection, server, server);
}

} // namespace tcpflight::test
