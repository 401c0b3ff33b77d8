// A recording in memory, written and read; what was read is kept as text, which a failing test shows.
#pragma once

#include "recording/reader.h"
#include "recording/writer.h"
#include "support/memory_disk.h"
#include "support/record_builder.h"
#include "support/record_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace tcpflight::test {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t close_state = 7;

struct FakeKnown : KnownSource {
    [[nodiscard]] KnownGaps known_gaps() const override { return gaps; }
    [[nodiscard]] std::vector<KnownCgroup> known_cgroups() const override { return cgroups; }
    void for_each_known(const Visit &visit) const override
    {
        for (const auto &connection : connections)
            visit(connection);
    }
    KnownGaps gaps;
    std::vector<KnownCgroup> cgroups;
    std::vector<KnownConnection> connections;
};

inline KnownConnection known(std::uint64_t cookie)
{
    KnownConnection out;
    out.cookie = cookie;
    out.state = TcpState::Established;
    out.time_wait_socket = cookie % 2 != 0;
    out.identity.local.port = static_cast<std::uint16_t>(cookie);
    out.identity.family = Family::IPv6;
    return out;
}

// What was read: records as "r COOKIE@MICROSECONDS", losses as "lost TOTAL of REASON", "clock WALL", "entry WHY:COUNT",
// "damage OFFSET+SIZE RECORDS".
struct Reading : RecordingConsumer {
    bool record(std::span<const std::byte> bytes) override
    {
        raw.emplace_back(bytes.begin(), bytes.end());
        tf_header header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.type == TF_RECORD_LOST) {
            tf_loss loss{};
            std::memcpy(&loss, bytes.data() + sizeof(header), sizeof(loss));
            list.push_back("lost " + std::to_string(loss.total) + " of " + std::to_string(loss.reason));
        } else {
            list.push_back("r " + std::to_string(header.cookie) + "@" + std::to_string(header.time_ns / 1000));
        }
        return raw.size() < limit;
    }
    void clock(const ClockAnchor &anchor) override { list.push_back("clock " + std::to_string(anchor.wall_ns)); }
    void entry_point(const EntryPoint &entry) override
    {
        entries.push_back(entry);
        const char *why = entry.why == EntryPoint::Why::Start    ? "start"
                          : entry.why == EntryPoint::Why::Sought ? "sought"
                                                                 : "healing";
        list.push_back(std::string("entry ") + why + ":" + std::to_string(entry.connections.size()));
    }
    void damage(const Damage &damage) override
    {
        damages.push_back(damage);
        list.push_back("damage " + damage.what);
    }

    // All of it. How it ended.
    RecordingReader::Step read_all(RecordingReader &reader)
    {
        for (;;) {
            auto step = reader.read(*this);
            EXPECT_TRUE(step) << step.error().message;
            if (!step || *step != RecordingReader::Step::More)
                return step.value_or(RecordingReader::Step::Stopped);
        }
    }

    std::vector<Bytes> raw;
    std::vector<std::string> list;
    std::vector<Damage> damages;
    std::vector<EntryPoint> entries;
    std::size_t limit = std::numeric_limits<std::size_t>::max();
};

using List = std::vector<std::string>;

struct Recording {
    explicit Recording(std::uint64_t flush_interval_ns = 1'000'000'000)
        : writer(std::make_unique<MemoryOutput>(file), settings(flush_interval_ns), known_source)
    {
    }

    static RecordingWriter::Settings settings(std::uint64_t flush_interval_ns)
    {
        RecordingWriter::Settings out;
        out.flush_interval_ns = flush_interval_ns;
        out.start.program = "tcpflight test";
        out.start.host = "host";
        out.start.kernel = "6.1 x86_64";
        out.start.boot_id = "boot";
        out.start.filter = "port 80";
        out.start.hooks = "tp_btf";
        out.start.recording_id = {1, 2, 3};
        out.start.file_number = 7;
        out.start.clock = {.boot_ns = 1000, .wall_ns = 5000};
        return out;
    }

    // A record for each number: its cookie and its time in microseconds.
    void write(std::uint64_t first, std::uint64_t last)
    {
        for (auto i = first; i <= last; i++)
            EXPECT_TRUE(writer.write(RecordBuilder::state(i, i, syn_sent, established).bytes()));
    }

    [[nodiscard]] std::unique_ptr<InputFile> input() const { return std::make_unique<MemoryInput>(file); }

    std::shared_ptr<MemoryFile> file = std::make_shared<MemoryFile>();
    FakeKnown known_source;
    RecordingWriter writer;
};

} // namespace tcpflight::test
