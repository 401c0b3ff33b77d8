#include "decode/decode.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

#include <set>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t time_wait = 6;
constexpr std::uint8_t close_state = 7;

std::vector<std::vector<std::byte>> one_of_each()
{
    return {
        RecordBuilder::state(1, 1, established, fin_wait1).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).metrics({}).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).identity(1, 2).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).metrics({}).identity(1, 2).bytes(),
        RecordBuilder::retransmit(1, 1, established, 1, 2, 0x10).bytes(),
        RecordBuilder::retransmit(1, 1, established, 1, 2, 0x10).identity(1, 2).bytes(),
        RecordBuilder::lost(1, 5, 0).bytes(),
        RecordBuilder::congestion(1, 1, established, 0, 4).bytes(),
        RecordBuilder::probe(1, 1, established, {}).bytes(),
        RecordBuilder::settings(1, {}).bytes(),
        RecordBuilder::usage(1, 1, established, {}).identity(1, 2).bytes(),
        RecordBuilder::accept(1, 1, established, 42, "worker").bytes(),
        RecordBuilder::accept(1, 1, established, 42, "worker").identity(1, 2).bytes(),
        RecordBuilder::reset(1, 1, established, TF_RESET_SENT, TF_RESET_LINGER_0).bytes(),
        RecordBuilder::reset(0, 1, established, TF_RESET_RECEIVED, TF_RESET_UNKNOWN).identity(1, 2).bytes(),
        RecordBuilder::cgroup(1, 5, 8, "/lxc/web").bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1)
            .identity(1, 2)
            .place({.cgroup = 5, .hierarchy = 8, .pid = 7})
            .bytes(),
        RecordBuilder::accept(1, 1, established, 3, "nc").place({.cgroup = 5, .hierarchy = 8, .pid = 7}).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).carried(5, 6).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).traffic({}).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1).carried(5, 6).traffic({}).bytes(),
        RecordBuilder::state(1, 1, established, fin_wait1)
            .metrics({})
            .identity(1, 2)
            .place({.cgroup = 5, .hierarchy = 8, .pid = 7})
            .carried(5, 6)
            .bytes(),
        RecordBuilder::found(1, 1, established).bytes(),
        RecordBuilder::gone(1, 1, time_wait, TF_GONE_NETNS).bytes(),
        RecordBuilder::gone_socket(1, 9, established, 1, 5).bytes(),
        RecordBuilder::found(1, 1, established).metrics({}).identity(1, 2, 3, "nc", TF_OWNER_SNAPSHOT).bytes(),
    };
}

DecodeError outcome(std::span<const std::byte> bytes)
{
    Record record{};
    return decode(bytes, record);
}

TEST(Decode, TakesTheErrorApart)
{
    Record record{};
    const unsigned raw = 110U | TF_UNDONE_LAST << TF_ERROR_UNDONE_SHIFT | TF_ERROR_USER_TIMEOUT;
    ASSERT_EQ(
        decode(RecordBuilder::state(1, 1, established, close_state).error(static_cast<std::uint16_t>(raw)).bytes(),
               record),
        DecodeError::None);
    EXPECT_EQ(record.header.error, 110);
    EXPECT_EQ(record.undone, TF_UNDONE_LAST);
    EXPECT_TRUE(record.user_timeout);
    ASSERT_EQ(decode(RecordBuilder::state(1, 1, established, close_state).error(4095).bytes(), record),
              DecodeError::None);
    EXPECT_EQ(record.header.error, 4095) << "the largest that there can be";
    EXPECT_EQ(record.undone, TF_UNDONE_UNKNOWN);
    EXPECT_FALSE(record.user_timeout);
}

TEST(Decode, SettingsAreOfNoSocketAndUsageIsOfOne)
{
    EXPECT_EQ(outcome(RecordBuilder::settings(1, {}).bytes()), DecodeError::None);
    auto in_a_state = RecordBuilder::settings(1, {}).bytes();
    in_a_state[offsetof(tf_header, new_state)] = std::byte{established};
    EXPECT_EQ(outcome(in_a_state), DecodeError::BadState);
    EXPECT_EQ(outcome(RecordBuilder::usage(1, 1, established,
                                           {.taken = 1, .at_most = 2, .kind = TF_USAGE_KINDS, .reserved = {}})
                          .identity(1, 2)
                          .bytes()),
              DecodeError::BadValue);
    EXPECT_EQ(outcome(RecordBuilder::usage(1, 1, established, {}).bytes()), DecodeError::BadValue)
        << "of whom it does not say";
}

TEST(Decode, TakesTheBytesFromTheEnd)
{
    Record record{};
    tf_traffic traffic{};
    traffic.bytes_retransmitted = 2;
    traffic.cwnd = 3;
    auto bytes = RecordBuilder::state(1, 1, established, fin_wait1)
                     .identity(1, 2)
                     .place({.cgroup = 5, .hierarchy = 8, .pid = 7})
                     .carried(1, 1ULL << 40)
                     .traffic(traffic)
                     .bytes();
    ASSERT_EQ(decode(bytes, record), DecodeError::None);
    EXPECT_EQ(record.traffic.bytes_retransmitted, 2U);
    EXPECT_EQ(record.traffic.cwnd, 3U);
    EXPECT_EQ(record.place.pid, 7U);
    EXPECT_EQ(record.bytes.acked, 1U);
    EXPECT_EQ(record.bytes.received, 1ULL << 40);
}

TEST(Decode, TakesEveryKindApart)
{
    Record record{};
    auto bytes = RecordBuilder::retransmit(77, 12, fin_wait1, 1000, 2449, 0x11)
                     .acked(999)
                     .send_error(-1)
                     .identity(443, 50000, 9, "nginx", TF_OWNER_INHERITED)
                     .bytes();
    ASSERT_EQ(decode(bytes, record), DecodeError::None);
    EXPECT_EQ(record.header.cookie, 77U);
    EXPECT_EQ(record.header.time_ns, 12000U);
    EXPECT_EQ(record.header.local_port, 443);
    EXPECT_EQ(record.header.new_state, fin_wait1);
    EXPECT_EQ(record.retransmission.end_seq - record.retransmission.seq, 1449U);
    EXPECT_EQ(record.retransmission.bytes_acked, 999U);
    EXPECT_EQ(record.retransmission.send_error, -1);
    EXPECT_EQ(record.metrics.rto_us, 204000U);
    EXPECT_EQ(record.identity.remote_port, 50000);
    EXPECT_EQ(record.identity.owner_source, TF_OWNER_INHERITED);
    EXPECT_STREQ(record.identity.comm, "nginx");
}

TEST(Decode, AcceptsEveryKindAtAnyAlignment)
{
    for (const auto &bytes : one_of_each()) {
        for (std::size_t shift = 0; shift < 8; shift++) {
            std::vector<std::byte> shifted(shift);
            shifted.insert(shifted.end(), bytes.begin(), bytes.end());
            EXPECT_EQ(outcome(std::span(shifted).subspan(shift)), DecodeError::None);
        }
    }
}

TEST(Decode, RefusesEveryOtherLength)
{
    std::set<std::size_t> right;
    for (const auto &bytes : one_of_each())
        right.insert(bytes.size());
    for (const auto &bytes : one_of_each()) {
        for (std::size_t length = 0; length <= 200; length++) {
            auto cut = bytes;
            cut.resize(length);
            auto expected = length == bytes.size()       ? DecodeError::None
                            : length < sizeof(tf_header) ? DecodeError::TooShort
                                                         : DecodeError::WrongSize;
            EXPECT_EQ(outcome(cut), expected) << length << " instead of " << bytes.size();
        }
    }
}

TEST(Decode, RefusesValuesThatDoNotExist)
{
    EXPECT_EQ(outcome(RecordBuilder::state(1, 1, 0, fin_wait1).bytes()), DecodeError::BadState);
    EXPECT_EQ(outcome(RecordBuilder::state(1, 1, established, 13).bytes()), DecodeError::BadState);
    EXPECT_EQ(outcome(RecordBuilder::state(1, 1, established, 255).bytes()), DecodeError::BadState);

    tf_identity id{};
    id.family = AF_UNIX;
    EXPECT_EQ(outcome(RecordBuilder::state(1, 1, 1, 4).identity(id).bytes()), DecodeError::BadValue);
    id.family = AF_INET6;
    id.owner_source = TF_OWNER_SOURCES;
    EXPECT_EQ(outcome(RecordBuilder::state(1, 1, 1, 4).identity(id).bytes()), DecodeError::BadValue);

    auto unknown = RecordBuilder::state(1, 1, 1, 4).bytes();
    unknown[offsetof(tf_header, type)] = std::byte{200};
    EXPECT_EQ(outcome(unknown), DecodeError::UnknownType);

    auto loss = RecordBuilder::lost(1, 5, 0).bytes();
    loss[sizeof(tf_header) + offsetof(tf_loss, reason)] = std::byte{TF_LOSS_REASONS};
    EXPECT_EQ(outcome(loss), DecodeError::BadValue);
    tf_socket socket{};
    socket.timer = TF_TIMERS;
    EXPECT_EQ(outcome(RecordBuilder::found(1, 1, established, socket).bytes()), DecodeError::BadValue);
    EXPECT_EQ(outcome(RecordBuilder::found(1, 1, 0).bytes()), DecodeError::BadState);
    for (const unsigned undone : {TF_UNDONES + 0U, 7U})
        EXPECT_EQ(outcome(RecordBuilder::state(1, 1, established, close_state)
                              .error(static_cast<std::uint16_t>(110U | undone << TF_ERROR_UNDONE_SHIFT))
                              .bytes()),
                  DecodeError::BadValue);
    EXPECT_EQ(outcome(RecordBuilder::cgroup(1, 0, 8, "/a").bytes()), DecodeError::BadValue);
    EXPECT_EQ(outcome(RecordBuilder::cgroup(1, 5, 8, "a").bytes()), DecodeError::BadValue);
    EXPECT_EQ(outcome(RecordBuilder::cgroup(1, 5, 8, "").bytes()), DecodeError::BadValue);
    auto endless = RecordBuilder::cgroup(1, 5, 8, "/" + std::string(494, 'a')).bytes();
    EXPECT_EQ(outcome(endless), DecodeError::None);
    endless.back() = std::byte{'a'};
    EXPECT_EQ(outcome(endless), DecodeError::BadValue) << "no end of the text";
}

// Under the sanitizers this is a small fuzzer: no byte, wherever it stands, may lead outside the record.
TEST(Decode, SurvivesEveryChangeOfAByte)
{
    for (const auto &bytes : one_of_each()) {
        for (std::size_t at = 0; at < bytes.size(); at++) {
            for (int value = 0; value < 256; value++) {
                auto changed = bytes;
                changed[at] = static_cast<std::byte>(value);
                Record record{};
                if (decode(changed, record) == DecodeError::None && record.header.type != TF_RECORD_LOST) {
                    EXPECT_LE(record.header.new_state, 12);
                }
            }
        }
    }
}

} // namespace
} // namespace tcpflight::test
