// Cells, and which columns there is room for.
#include "top/columns.h"

#include "row_builder.h"

#include <gmock/gmock.h>

namespace tcpflight::test {
namespace {

constexpr std::uint64_t us = 1'000;
constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t now = 100 * row_s;

std::string cell(TopColumn column, const Row &row)
{
    std::string out;
    put_cell(column, row, now, out);
    return out;
}

struct DurationCase {
    std::uint64_t duration_ns;
    std::string text;
};

class ShortDuration : public testing::TestWithParam<DurationCase> {};

TEST_P(ShortDuration, TakesSixColumnsAtMost)
{
    std::string text;
    LineWriter line(text);
    put_short_duration(line, GetParam().duration_ns);
    line.finish();
    EXPECT_EQ(text, GetParam().text + '\n');
    EXPECT_LE(text.size(), 7U);
}

INSTANTIATE_TEST_SUITE_P(Table, ShortDuration,
                         testing::Values(DurationCase{0, "0us"}, DurationCase{999 * us, "999us"},
                                         DurationCase{4'299 * us, "4.2ms"}, DurationCase{999'999 * us, "999ms"},
                                         DurationCase{row_s, "1.0s"}, DurationCase{59'999 * ms, "59.9s"},
                                         DurationCase{60 * row_s, "1m00s"}, DurationCase{3599 * row_s, "59m59s"},
                                         DurationCase{3600 * row_s, "1h00m"}, DurationCase{172'799 * row_s, "47h59m"},
                                         DurationCase{172'800 * row_s, "2d00h"},
                                         DurationCase{8'639'999 * row_s, "99d23h"},
                                         DurationCase{8'640'000 * row_s, "100d"},
                                         DurationCase{99'999 * (86'400 * row_s), "99999d"}));

TEST(TopColumns, ShowARow)
{
    const Row row = RowBuilder()
                        .in(TcpState::FinWait1, 40 * row_s)
                        .begun(10 * row_s, false)
                        .retransmits(12)
                        .rtt(1234)
                        .judged(VerdictKind::HalfOpen)
                        .last(90 * row_s, "retransmit FIN #12");
    EXPECT_EQ(cell(TopColumn::State, row), "FIN_WAIT1");
    EXPECT_EQ(cell(TopColumn::InState, row), "1m00s");
    EXPECT_EQ(cell(TopColumn::Age, row), ">1m30s") << "its begin was not seen";
    EXPECT_EQ(cell(TopColumn::Retransmits, row), "12");
    EXPECT_EQ(cell(TopColumn::Rtt, row), "1.2ms");
    EXPECT_EQ(cell(TopColumn::Local, row), "127.0.0.1.57374");
    EXPECT_EQ(cell(TopColumn::Remote, row), "127.0.0.1.12345");
    EXPECT_EQ(cell(TopColumn::Process, row), "telnet[2231]");
    EXPECT_EQ(cell(TopColumn::Verdict, row), "half-open");
    EXPECT_EQ(cell(TopColumn::Last, row), "retransmit FIN #12");
}

TEST(TopColumns, ShowWhatIsNotThere)
{
    const Row row = RowBuilder().in(TcpState::Listen).unknown_owner();
    EXPECT_EQ(cell(TopColumn::Remote, row), "*");
    EXPECT_EQ(cell(TopColumn::Process, row), "-");
    EXPECT_EQ(cell(TopColumn::Rtt, row), "-");
    EXPECT_EQ(cell(TopColumn::Verdict, row), "");
}

TEST(TopColumns, ShowTheAgeThatAConnectionHadWhenItEnded)
{
    EXPECT_EQ(cell(TopColumn::Age, RowBuilder().begun(10 * row_s).ended(15 * row_s)), "5.0s");
}

TEST(TopColumns, EscapeWhatProcessesCallThemselves)
{
    EXPECT_EQ(cell(TopColumn::Process, RowBuilder().owner("a\x1b[2J\n", 7)), "a\\x1b[2J\\x0a[7]");
}

std::string headings(const std::vector<PlacedColumn> &placed)
{
    std::string text;
    for (const auto &one : placed)
        text += (text.empty() ? "" : " ") + std::string(heading(one.column));
    return text;
}

std::size_t width_of(const std::vector<PlacedColumn> &placed)
{
    std::size_t width = placed.size() - 1;
    for (const auto &one : placed)
        width += one.width;
    return width;
}

ColumnWidths widths_of(const Row &row)
{
    auto widths = heading_widths();
    const Row *rows[] = {&row};
    widen(widths, rows, now);
    return widths;
}

const Row usual = RowBuilder()
                      .local("10.0.0.12", 40112)
                      .remote("203.0.113.7", 5432)
                      .owner("postgres", 91270)
                      .judged(VerdictKind::ConnectUnanswered)
                      .last(row_s, "SYN_SENT -> ESTABLISHED");

TEST(TopLayout, HasTheColumnsThatMatterOnEightyColumns)
{
    const auto placed = place_columns(widths_of(usual), 80);
    EXPECT_EQ(headings(placed), "STATE FOR RETR LOCAL REMOTE PROCESS VERDICT");
    EXPECT_LE(width_of(placed), 80U);
}

TEST(TopLayout, ShowsMoreWhereThereIsRoom)
{
    const auto widths = widths_of(usual);
    EXPECT_EQ(headings(place_columns(widths, 120)), "STATE FOR AGE RETR RTT LOCAL REMOTE PROCESS VERDICT");
    EXPECT_EQ(headings(place_columns(widths, 125)), "STATE FOR AGE RETR RTT LOCAL REMOTE PROCESS VERDICT LAST EVENT");
    EXPECT_EQ(width_of(place_columns(widths, 125)), 125U) << "the last event may be cut";
    EXPECT_EQ(headings(place_columns(widths, 160)), "STATE FOR AGE RETR RTT LOCAL REMOTE PROCESS VERDICT LAST EVENT");
    auto in_container = widths;
    in_container.at(static_cast<std::size_t>(TopColumn::Container)) = 12;
    EXPECT_EQ(headings(place_columns(in_container, 160)),
              "STATE FOR AGE RETR RTT LOCAL REMOTE PROCESS VERDICT LAST EVENT CONTAINER");
}

TEST(TopLayout, FitsAnyWidth)
{
    const Row wide = RowBuilder()
                         .local("2001:db8:1111:2222:3333:4444:5555:6666", 40112)
                         .remote("2001:db8:1111:2222:3333:4444:5555:7777", 40113)
                         .owner("a-long-name-now", 4'000'000);
    const auto widths = widths_of(wide);
    for (std::size_t columns = 1; columns <= 250; columns++) {
        const auto placed = place_columns(widths, columns);
        ASSERT_FALSE(placed.empty());
        EXPECT_LE(width_of(placed), columns);
        EXPECT_EQ(placed.front().column, TopColumn::State);
    }
    EXPECT_EQ(headings(place_columns(widths, 40)), "STATE REMOTE VERDICT");
}

TEST(TopLayout, CutsWhereItMattersLeast)
{
    EXPECT_EQ(fit_cell(TopColumn::Local, "203.0.113.7.5432", 10), "~13.7.5432");
    EXPECT_EQ(fit_cell(TopColumn::Process, "postgres[91270]", 12), "post~[91270]");
    EXPECT_EQ(fit_cell(TopColumn::Process, "postgres[91270]", 5), "post~");
    EXPECT_EQ(fit_cell(TopColumn::Verdict, "connect-unanswered", 10), "connect-u~");
    EXPECT_EQ(fit_cell(TopColumn::Verdict, "half-open", 12), "half-open   ");
    EXPECT_EQ(fit_cell(TopColumn::Age, "5.0s", 7), "   5.0s");
    EXPECT_EQ(fit_cell(TopColumn::Age, "5.0s", 0), "");
}

} // namespace
} // namespace tcpflight::test
