// Events in, verdicts out.
#pragma once

#include "diagnose/diagnosis.h"
#include "support/event_builder.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tcpflight::test {

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;

class Judged {
public:
    struct Fallen {
        std::uint64_t connection = 0;
        std::uint64_t time_ns = 0;
        Verdict verdict;
        std::optional<Identity> identity;
        bool wanted = true;
    };

    explicit Judged(const Diagnosis::Settings &settings = {})
        : diagnosis_(
              settings,
              [this](const Event &event) {
                  fallen.push_back({event.connection, event.time_ns, std::get<Verdict>(event.what),
                                    event.identity != nullptr ? std::optional(*event.identity) : std::nullopt,
                                    event.wanted});
              },
              [this](std::uint64_t connection) {
                  auto known = alive_.find(connection);
                  return known != alive_.end() ? &known->second : nullptr;
              })
    {
    }

    // Connections live in slots of the same number.
    Judged &add(const EventBuilder &builder)
    {
        const auto connection = builder.build().view().connection;
        return add(builder, connection != 0 ? static_cast<std::uint32_t>(connection) : no_slot);
    }
    Judged &add(const EventBuilder &builder, std::uint32_t slot)
    {
        const auto owned = builder.build();
        const auto event = owned.view();
        if (event.identity != nullptr)
            alive_[event.connection] = *event.identity;
        diagnosis_.advance(event.time_ns);
        diagnosis_.expect(event, slot);
        diagnosis_.observe(event, slot);
        return *this;
    }
    // A client, and the server's end of the same connection, to ESTABLISHED.
    Judged &open_client(std::uint64_t time_ns = 1)
    {
        add(client(time_ns).changes(TcpState::Close, TcpState::SynSent));
        return add(client(time_ns + 100 * us).changes(TcpState::SynSent, TcpState::Established));
    }
    Judged &open_server(std::uint64_t time_ns = 1)
    {
        add(server(time_ns).changes(TcpState::Listen, TcpState::SynRecv));
        return add(server(time_ns + 5 * us).changes(TcpState::SynRecv, TcpState::Established));
    }
    Judged &wait_until(std::uint64_t time_ns)
    {
        diagnosis_.advance(time_ns);
        return *this;
    }
    Judged &finish()
    {
        diagnosis_.finish();
        return *this;
    }

    static EventBuilder client(std::uint64_t time_ns) { return EventBuilder().at(time_ns).connection(1); }
    static EventBuilder server(std::uint64_t time_ns)
    {
        return EventBuilder()
            .at(time_ns)
            .connection(2)
            .local("127.0.0.1", 12345)
            .remote("127.0.0.1", 57374)
            .owner("nc", 2223, OwnerSource::Listen);
    }
    // The `number`th time-out in a row of the FIN, or of `length` bytes.
    static Retransmit timeout(std::uint32_t number, TcpState state, std::uint16_t flags, std::uint32_t length = 0)
    {
        Retransmit retransmit;
        retransmit.state = state;
        retransmit.flags = flags;
        retransmit.length = length;
        retransmit.kind = RetransmitKind::Timeout;
        retransmit.timeouts = number;
        retransmit.silent_ns = number * s;
        retransmit.gives_up_ns = 60 * s;
        return retransmit;
    }

    [[nodiscard]] std::vector<std::pair<std::uint64_t, VerdictKind>> kinds() const
    {
        std::vector<std::pair<std::uint64_t, VerdictKind>> kinds;
        for (const auto &one : fallen)
            kinds.emplace_back(one.connection, one.verdict.kind);
        return kinds;
    }
    [[nodiscard]] const Verdict &last() const { return fallen.back().verdict; }
    [[nodiscard]] Diagnosis &diagnosis() { return diagnosis_; }

    std::vector<Fallen> fallen;

private:
    std::map<std::uint64_t, Identity> alive_;
    Diagnosis diagnosis_;
};

} // namespace tcpflight::test
