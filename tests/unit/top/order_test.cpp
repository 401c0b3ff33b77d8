// The order of rows.
#include "top/order.h"

#include "row_builder.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>
#include <string_view>

namespace tcpflight::test {
namespace {

using testing::ElementsAre;
using enum TcpState;

constexpr std::uint64_t now = 100 * row_s;

std::vector<std::uint64_t> sorted(const std::vector<Row> &rows, TopKey key, bool reversed = false)
{
    std::vector<std::uint32_t> chosen(rows.size());
    std::iota(chosen.begin(), chosen.end(), 0);
    sort_rows(rows, key, reversed, now, chosen);
    std::vector<std::uint64_t> connections;
    for (const auto i : chosen)
        connections.push_back(rows[i].connection);
    return connections;
}

TEST(TopOrder, PutsAlarmsFirstThenWhatIsAliveThenWhatHasEnded)
{
    const std::vector<Row> rows{RowBuilder(1).judged(VerdictKind::Orderly).ended(9 * row_s).last(9 * row_s),
                                RowBuilder(2).judged(VerdictKind::Refused).ended(8 * row_s).last(8 * row_s),
                                RowBuilder(3).last(7 * row_s),
                                RowBuilder(4).judged(VerdictKind::DataTimedOut).ended(6 * row_s).last(6 * row_s),
                                RowBuilder(5).judged(VerdictKind::HalfOpen).last(5 * row_s)};
    EXPECT_THAT(sorted(rows, TopKey::Verdict), ElementsAre(5, 4, 3, 2, 1));
    EXPECT_THAT(sorted(rows, TopKey::Verdict, true), ElementsAre(1, 2, 3, 4, 5));
}

TEST(TopOrder, OfEqualVerdictsShowsTheOneFirstToWhichSomethingHappenedLast)
{
    EXPECT_THAT(sorted({RowBuilder(1).last(3 * row_s), RowBuilder(2).last(5 * row_s), RowBuilder(3).last(4 * row_s)},
                       TopKey::Verdict),
                ElementsAre(2, 3, 1));
}

TEST(TopOrder, PutsTheLargestQuantityFirst)
{
    const std::vector<Row> rows{RowBuilder(1).retransmits(2).rtt(30).begun(5 * row_s).in(Established, 50 * row_s),
                                RowBuilder(2).retransmits(7).rtt(0).begun(1 * row_s).in(Established, 70 * row_s),
                                RowBuilder(3).retransmits(0).rtt(90).begun(9 * row_s).in(Established, 60 * row_s)};
    EXPECT_THAT(sorted(rows, TopKey::Retransmits), ElementsAre(2, 1, 3));
    EXPECT_THAT(sorted(rows, TopKey::Retransmits, true), ElementsAre(3, 1, 2));
    EXPECT_THAT(sorted(rows, TopKey::Rtt), ElementsAre(3, 1, 2));
    EXPECT_THAT(sorted(rows, TopKey::Age), ElementsAre(2, 1, 3));
    EXPECT_THAT(sorted(rows, TopKey::InState), ElementsAre(1, 3, 2));
}

TEST(TopOrder, PutsNamesAndAddressesInTheirOwnOrder)
{
    const std::vector<Row> rows{RowBuilder(1).owner("nginx", 9).local("10.0.0.1", 443).remote("10.0.0.9", 1000),
                                RowBuilder(2).owner("curl", 12).local("10.0.0.1", 80).remote("10.0.0.8", 1000),
                                RowBuilder(3).unknown_owner().local("10.0.0.2", 80).remote("10.0.0.8", 99)};
    EXPECT_THAT(sorted(rows, TopKey::Process), ElementsAre(2, 1, 3)) << "unknown owners are last";
    EXPECT_THAT(sorted(rows, TopKey::Local), ElementsAre(2, 3, 1)) << "by port, then by address";
    EXPECT_THAT(sorted(rows, TopKey::Local, true), ElementsAre(1, 3, 2));
    EXPECT_THAT(sorted(rows, TopKey::Remote), ElementsAre(3, 2, 1));
}

TEST(TopOrder, LeavesEqualRowsInTheOrderOfTheirEndsBothWays)
{
    const std::vector<Row> rows{RowBuilder(1).local("10.0.0.1", 30), RowBuilder(2).local("10.0.0.1", 10),
                                RowBuilder(3).local("10.0.0.1", 20)};
    EXPECT_THAT(sorted(rows, TopKey::State), ElementsAre(2, 3, 1));
    EXPECT_THAT(sorted(rows, TopKey::State, true), ElementsAre(2, 3, 1));
}

TEST(TopOrder, NamesEveryKeyOnce)
{
    std::set<std::string_view> names;
    for (int key = 0; key < top_keys; key++)
        EXPECT_TRUE(names.insert(name(static_cast<TopKey>(key))).second);
}

} // namespace
} // namespace tcpflight::test
