// Resets as text and as JSON.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

constexpr int reasons = static_cast<int>(ResetReason::NotAccepted) + 1;
constexpr Reset unread{.state = TcpState::Established, .reason = ResetReason::UnreadData};
constexpr Reset received{.state = TcpState::SynSent, .direction = ResetDirection::Received};
constexpr Reset nobody{.reason = ResetReason::NoSocket};
constexpr Reset newer{.state = TcpState::Listen, .reason = ResetReason::Other, .kernel_reason = 31};

EventBuilder stray(const Reset &reset)
{
    return EventBuilder().resets(reset).connection(0).unknown_owner().uid(unknown_uid);
}

TEST(TextReset, SaysWhatWhereWhyAndWho)
{
    EXPECT_EQ(print_text(EventBuilder().resets(unread)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset sent in ESTABLISHED: closed with unread data, "
              "telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().resets(received)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset received in SYN_SENT, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().resets(received).unknown_owner()),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset received in SYN_SENT, unknown\n");
}

TEST(TextReset, WithoutAConnectionHasNoOwner)
{
    EXPECT_EQ(print_text(stray(nobody)), "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset sent: no socket\n");
    EXPECT_EQ(print_text(stray(newer)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset sent in LISTEN: the kernel's reason 31\n");
}

TEST(TextReset, LessAndMore)
{
    OutputStyle quiet;
    quiet.quiet = true;
    EXPECT_EQ(print_text(EventBuilder().resets(unread).after_gap(), quiet),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset sent in ESTABLISHED, after a gap\n");
    OutputStyle verbose;
    verbose.metrics = true;
    EXPECT_EQ(print_text(stray(nobody), verbose),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: reset sent: no socket, netns 4026531840\n");
}

TEST(ResetReason, HasWordsForEachOfThem)
{
    for (std::uint8_t reason = 0; reason < reasons; reason++) {
        EXPECT_FALSE(name(ResetReason{reason}).empty()) << int{reason};
        EXPECT_FALSE(describe(ResetReason{reason}).empty()) << int{reason};
    }
}

} // namespace
} // namespace tcpflight
