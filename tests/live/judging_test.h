// What the live tests of verdicts begin with.
#pragma once

#include "live/live_test.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <vector>

namespace tcpflight::test {

class JudgingTest : public LiveTest {
protected:
    static std::string port_of(const ActorSocket &socket) { return std::to_string(socket.local.port()); }

    // The verdicts about the socket with this local port and other end: "half-open orderly".
    static std::string about(const Tracer &tracer, const ActorSocket &socket)
    {
        std::string names;
        for (const TraceEvent &verdict : of(tracer, socket))
            names += (names.empty() ? "" : " ") + verdict.text("verdict");
        return names;
    }
    static std::vector<TraceEvent> of(const Tracer &tracer, const ActorSocket &socket)
    {
        std::vector<TraceEvent> found;
        std::copy_if(tracer.verdicts().begin(), tracer.verdicts().end(), std::back_inserter(found),
                     [&](const TraceEvent &verdict) {
                         // A server's sockets have their listener's port; one that was bound only has no other end.
                         return verdict.number("local_port") == socket.local.port() &&
                                !verdict.is_null("remote_port") &&
                                (socket.remote.port() == 0 || verdict.number("remote_port") == socket.remote.port());
                     });
        return found;
    }
    static std::vector<TraceEvent> called(const Tracer &tracer, const std::string &name)
    {
        std::vector<TraceEvent> found;
        std::copy_if(tracer.verdicts().begin(), tracer.verdicts().end(), std::back_inserter(found),
                     [&](const TraceEvent &verdict) { return verdict.text("verdict") == name; });
        return found;
    }
    static bool wait_for(Tracer &tracer, const ActorSocket &socket, const std::string &names)
    {
        return tracer.wait_until([&] { return about(tracer, socket) == names; }, std::chrono::seconds(20));
    }
};

} // namespace tcpflight::test
