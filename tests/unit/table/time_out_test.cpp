// What timed out, from what a socket had still to do when it ended.
#include "table/table.h"

#include "support/record_builder.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace tcpflight::test {
namespace {

constexpr std::uint8_t established = 1;
constexpr std::uint8_t syn_sent = 2;
constexpr std::uint8_t syn_recv = 3;
constexpr std::uint8_t fin_wait1 = 4;
constexpr std::uint8_t close_state = 7;
constexpr std::uint8_t close_wait = 8;
constexpr std::uint8_t last_ack = 9;
constexpr std::uint8_t closing = 11;

StateChange end(std::uint8_t from, tf_undone undone, int error = ETIMEDOUT, bool user_timeout = false)
{
    const auto raw = static_cast<unsigned>(error) | static_cast<unsigned>(undone) << TF_ERROR_UNDONE_SHIFT |
                     (user_timeout ? TF_ERROR_USER_TIMEOUT : 0U);
    Record record{};
    EXPECT_EQ(decode(RecordBuilder::state(1, 10, from, close_state)
                         .identity(40000, 80)
                         .error(static_cast<std::uint16_t>(raw))
                         .carried(0, 0)
                         .traffic({})
                         .bytes(),
                     record),
              DecodeError::None);
    Table table;
    return std::get<StateChange>(table.observe(record).value().what);
}

TEST(TableTimeOut, IsOfWhatWasStillToDo)
{
    for (const std::uint8_t state : {established, fin_wait1, close_wait, last_ack, closing}) {
        EXPECT_EQ(end(state, TF_UNDONE_NOTHING).timed_out, TimedOut::Keepalive);
        EXPECT_EQ(end(state, TF_UNDONE_UNSENT).timed_out, TimedOut::WindowProbe);
        EXPECT_EQ(end(state, TF_UNDONE_UNACKED).timed_out, TimedOut::Data);
        EXPECT_EQ(end(state, TF_UNDONE_UNACKED).error, ETIMEDOUT);
    }
    // The last sequence number is the FIN's, once there was one.
    for (const std::uint8_t state : {established, close_wait})
        EXPECT_EQ(end(state, TF_UNDONE_LAST).timed_out, TimedOut::Data);
    for (const std::uint8_t state : {fin_wait1, last_ack, closing})
        EXPECT_EQ(end(state, TF_UNDONE_LAST).timed_out, TimedOut::Fin);
    // Before it was established the state says it.
    EXPECT_EQ(end(syn_sent, TF_UNDONE_LAST).timed_out, TimedOut::Syn);
    EXPECT_EQ(end(syn_recv, TF_UNDONE_NOTHING).timed_out, TimedOut::SynAck);
}

TEST(TableTimeOut, IsNoneWithoutTheError)
{
    EXPECT_EQ(end(established, TF_UNDONE_UNACKED, ECONNRESET).timed_out, TimedOut::Unknown);
    EXPECT_EQ(end(established, TF_UNDONE_UNACKED, ECONNRESET).error, ECONNRESET);
    EXPECT_EQ(end(established, TF_UNDONE_UNACKED, ECONNRESET, true).by_user_timeout, std::nullopt);
}

// Recordings made before there was this.
TEST(TableTimeOut, IsNotKnownWhereNothingTells)
{
    const auto change = end(established, TF_UNDONE_UNKNOWN);
    EXPECT_EQ(change.error, ETIMEDOUT);
    EXPECT_EQ(change.timed_out, TimedOut::Unknown);
    EXPECT_EQ(change.by_user_timeout, std::nullopt);
    EXPECT_EQ(end(syn_sent, TF_UNDONE_UNKNOWN).timed_out, TimedOut::Unknown);
}

TEST(TableTimeOut, IsThatOfTheUserWhereNothingElseCanBe)
{
    EXPECT_EQ(end(established, TF_UNDONE_UNACKED, ETIMEDOUT, true).by_user_timeout, true);
    EXPECT_EQ(end(established, TF_UNDONE_UNACKED).by_user_timeout, false);
    EXPECT_EQ(end(established, TF_UNDONE_NOTHING, ETIMEDOUT, true).by_user_timeout, true);
    EXPECT_EQ(end(fin_wait1, TF_UNDONE_LAST, ETIMEDOUT, true).by_user_timeout, true);
    // These can also have been sent too often.
    EXPECT_EQ(end(established, TF_UNDONE_UNSENT, ETIMEDOUT, true).by_user_timeout, std::nullopt);
    EXPECT_EQ(end(syn_sent, TF_UNDONE_LAST, ETIMEDOUT, true).by_user_timeout, std::nullopt);
    EXPECT_EQ(end(established, TF_UNDONE_UNSENT).by_user_timeout, false);
}

} // namespace
} // namespace tcpflight::test
