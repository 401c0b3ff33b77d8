// `tcpflight list`.
#include "command_line.h"

#include <gtest/gtest.h>

namespace tcpflight::test {
namespace {

TEST(ListCommand, ShowsAllSocketsByDefault)
{
    const Command command = parse({"list"});
    EXPECT_EQ(command.kind, Command::Kind::List);
    ASSERT_TRUE(command.options.list);
    EXPECT_FALSE(command.options.list->wide);
    EXPECT_EQ(command.options.list->sort, SortKey::Default);
    EXPECT_TRUE(command.options.filter.is_open());
}

TEST(ListCommand, TakesTheFlagsThatSayWhichAndHow)
{
    const Command command = parse({"list", "--port", "80", "--pid=7", "--comm", "nc", "-4", "--format", "json",
                                   "--color", "never", "-n", "-v", "--wide", "--sort", "recvq"});
    EXPECT_EQ(command.kind, Command::Kind::List) << command.text;
    EXPECT_TRUE(command.options.list->wide);
    EXPECT_EQ(command.options.list->sort, SortKey::RecvQueue);
    EXPECT_EQ(command.options.filter.describe(), "port 80 and pid 7 and comm nc and ip");
    EXPECT_EQ(command.options.style.format, Format::Json);
}

TEST(ListCommand, TakesAnExpressionAboutSockets)
{
    EXPECT_EQ(parse({"list", "state", "LISTEN", "and", "not", "port", "22"}).options.filter.describe(),
              "state LISTEN and not port 22");
    EXPECT_EQ(parse({"list", "duration", ">", "1h"}).kind, Command::Kind::List);
    EXPECT_EQ(parse({"list", "event", "reset"}).text,
              "tcpflight: list: there are no events in a list of sockets: leave out event");
    EXPECT_EQ(parse({"list", "bytes > 1M"}).text,
              "tcpflight: list: bytes are not known of a socket that is looked at: leave them out");
    EXPECT_EQ(parse({"list", "ip and not retransmits > 3"}).text,
              "tcpflight: list: retransmits is not known of a socket that is looked at: leave it out");
    EXPECT_EQ(parse({"list", "outgoing"}).text,
              "tcpflight: list: who began a connection is not known afterwards: leave out outgoing and incoming");
}

TEST(ListCommand, IsOnlyTheFirstWord)
{
    EXPECT_EQ(parse({"--comm", "list"}).kind, Command::Kind::Run);
    EXPECT_EQ(parse({"-q", "list"}).kind, Command::Kind::Wrong);
    EXPECT_FALSE(parse({"-q"}).options.list);
}

TEST(ListCommand, Helps)
{
    EXPECT_EQ(parse({"list", "--help"}).kind, Command::Kind::Print);
}

struct KeyCase {
    std::string word;
    SortKey key;
};

class SortKeys : public testing::TestWithParam<KeyCase> {};

TEST_P(SortKeys, AreTaken)
{
    EXPECT_EQ(parse({"list", "--sort", GetParam().word}).options.list->sort, GetParam().key);
}

INSTANTIATE_TEST_SUITE_P(Table, SortKeys,
                         testing::Values(KeyCase{"state", SortKey::State}, KeyCase{"recvq", SortKey::RecvQueue},
                                         KeyCase{"sendq", SortKey::SendQueue}, KeyCase{"local", SortKey::Local},
                                         KeyCase{"remote", SortKey::Remote}, KeyCase{"process", SortKey::Process},
                                         KeyCase{"timer", SortKey::Timer}, KeyCase{"age", SortKey::Age}),
                         [](const auto &test) { return test.param.word; });

} // namespace
} // namespace tcpflight::test
