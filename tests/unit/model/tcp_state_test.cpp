#include "model/tcp_state.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>

namespace tcpflight {
namespace {

struct Case {
    TcpState state;
    int kernel;
    const char *name;
};

class States : public testing::TestWithParam<Case> {};

TEST_P(States, HaveTheKernelsNumberAndName)
{
    EXPECT_EQ(static_cast<int>(GetParam().state), GetParam().kernel);
    EXPECT_EQ(name(GetParam().state), GetParam().name);
    EXPECT_TRUE(is_valid(GetParam().state));
}

INSTANTIATE_TEST_SUITE_P(All, States,
                         testing::Values(Case{TcpState::Established, TCP_ESTABLISHED, "ESTABLISHED"},
                                         Case{TcpState::SynSent, TCP_SYN_SENT, "SYN_SENT"},
                                         Case{TcpState::SynRecv, TCP_SYN_RECV, "SYN_RECV"},
                                         Case{TcpState::FinWait1, TCP_FIN_WAIT1, "FIN_WAIT1"},
                                         Case{TcpState::FinWait2, TCP_FIN_WAIT2, "FIN_WAIT2"},
                                         Case{TcpState::TimeWait, TCP_TIME_WAIT, "TIME_WAIT"},
                                         Case{TcpState::Close, TCP_CLOSE, "CLOSE"},
                                         Case{TcpState::CloseWait, TCP_CLOSE_WAIT, "CLOSE_WAIT"},
                                         Case{TcpState::LastAck, TCP_LAST_ACK, "LAST_ACK"},
                                         Case{TcpState::Listen, TCP_LISTEN, "LISTEN"},
                                         Case{TcpState::Closing, TCP_CLOSING, "CLOSING"},
                                         // Not in the C library's header: include/net/tcp_states.h.
                                         Case{TcpState::NewSynRecv, 12, "NEW_SYN_RECV"}));

TEST(State, OthersAreNone)
{
    for (const int number : {0, 13, 255}) {
        const TcpState state{static_cast<std::uint8_t>(number)};
        EXPECT_FALSE(is_valid(state)) << number;
        EXPECT_EQ(name(state), "?") << number;
    }
}

} // namespace
} // namespace tcpflight
