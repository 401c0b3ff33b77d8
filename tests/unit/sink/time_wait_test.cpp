// Where a socket ends and its connection does not, as text and as JSON.
#include "unit/sink/print.h"

#include <gtest/gtest.h>

namespace tcpflight {
namespace {

using test::EventBuilder;
using test::print_text;

TEST(TimeWait, IsAStateLikeOthersInText)
{
    EXPECT_EQ(print_text(EventBuilder().leaves(TcpState::FinWait2, TcpState::TimeWait)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: FIN_WAIT2 -> TIME_WAIT, telnet[2231]\n");
    EXPECT_EQ(print_text(EventBuilder().leaves(TcpState::FinWait2, TcpState::FinWait2)),
              "IP 127.0.0.1.57374 > 127.0.0.1.12345: FIN_WAIT2 -> FIN_WAIT2 (orphan), telnet[2231]\n");
}

TEST(TimeWait, IsToldApartInJson)
{
    OutputStyle json;
    json.format = Format::Json;
    const auto line = test::print(json, {EventBuilder().leaves(TcpState::FinWait2, TcpState::FinWait2)});
    EXPECT_NE(line.find(R"("old_state":"FIN_WAIT2","new_state":"FIN_WAIT2","time_wait_socket":true,)"),
              std::string::npos);
}

} // namespace
} // namespace tcpflight
