// What a verdict's line says: the evidence, as far as it is known.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t s = 1'000'000'000;

// Behind "verdict ".
std::string line(const Verdict &verdict)
{
    const auto text = print_text(EventBuilder().judged(verdict));
    const std::string before = ": verdict ";
    const auto begin = text.find(before) + before.size();
    return text.substr(begin, text.rfind(", telnet") - begin);
}

Verdict of(VerdictKind kind)
{
    Verdict verdict;
    verdict.kind = kind;
    return verdict;
}

TEST(VerdictText, HalfOpenIsOver)
{
    auto verdict = of(VerdictKind::HalfOpen);
    verdict.over = true;
    verdict.silent_ns = 14'200 * ms;
    EXPECT_EQ(line(verdict), "half-open is over: the other end answers again, after 14.2s");
}

TEST(VerdictText, LeftBehindForEverOrUntilKeepalive)
{
    auto verdict = of(VerdictKind::HalfOpen);
    verdict.silent_ns = 5 * s;
    EXPECT_EQ(line(verdict), "half-open: the other end has been gone for 5s, and this one was not told");
    verdict.keepalive = Keepalive::Off;
    EXPECT_EQ(line(verdict), "half-open: the other end has been gone for 5s, and this one was not told: no keepalive, "
                             "so this would last for ever");
    verdict.keepalive = Keepalive::On;
    EXPECT_EQ(line(verdict),
              "half-open: the other end has been gone for 5s, and this one was not told: keepalive finds it");
    verdict.gives_up_ns = 682 * s;
    EXPECT_EQ(line(verdict), "half-open: the other end has been gone for 5s, and this one was not told: keepalive "
                             "finds it in at most 682s");
}

TEST(VerdictText, WhatTheKernelIsSetTo)
{
    auto closed = of(VerdictKind::HalfClosed);
    EXPECT_EQ(line(closed), "half-closed: this end closed, the other has not yet");
    closed.gives_up_ns = 60 * s;
    EXPECT_EQ(line(closed), "half-closed: this end closed, the other has not yet, the kernel waits for 60s");
    auto queue = of(VerdictKind::AcceptQueueOverflow);
    queue.queued = 129;
    queue.at_most = 128;
    queue.dropped = 5;
    EXPECT_EQ(line(queue), "accept-queue-overflow: 129 of 128 wait to be accepted, 5 SYNs and ACKs dropped");
    queue.by_somaxconn = true;
    EXPECT_EQ(line(queue),
              "accept-queue-overflow: 129 of 128 wait to be accepted (net.core.somaxconn), 5 SYNs and ACKs dropped");
}

TEST(VerdictText, OfTheWay)
{
    auto loss = of(VerdictKind::PathLoss);
    loss.repeated = 12;
    loss.segments = 100;
    loss.alike = 4;
    loss.waits_ns = 1500 * ms;
    EXPECT_EQ(line(loss),
              "path-loss: 12 of 100 segments sent again, of 4 connections to that host that lost some, within 1.5s");
    auto slow = of(VerdictKind::RttInflation);
    slow.rtt_ns = 900 * ms;
    slow.min_rtt_ns = 20'000;
    EXPECT_EQ(line(slow), "rtt-inflation: a round trip takes 900ms, and took 20us at its shortest");
    auto ports = of(VerdictKind::PortsRunningOut);
    ports.alike = 8;
    ports.at_most = 10;
    ports.gives_up_ns = 30 * s;
    EXPECT_EQ(line(ports),
              "ports-running-out: 8 of 10 ports taken, from this address to that address and port, all in 30s");
}

} // namespace
} // namespace tcpflight::test
