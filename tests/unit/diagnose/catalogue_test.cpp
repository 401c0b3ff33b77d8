// What each verdict means is told, and the page of them is made from the program.
#include "diagnose/catalogue.h"

#include "diagnose/thresholds.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace tcpflight {
namespace {

TEST(VerdictCatalogue, HasEachKindInItsPlace)
{
    ASSERT_EQ(verdict_catalogue().size(), verdict_kinds);
    for (std::size_t i = 0; i < verdict_kinds; i++) {
        const auto &entry = verdict_catalogue()[i];
        EXPECT_EQ(entry.kind, static_cast<VerdictKind>(i)) << name(entry.kind);
        EXPECT_FALSE(entry.meaning.empty()) << name(entry.kind);
        EXPECT_FALSE(entry.rule.empty()) << name(entry.kind);
        EXPECT_EQ(find_verdict(name(entry.kind)), entry.kind) << "names differ";
        // Who is woken up must be told what to do, and on whose word.
        if (severity_of(entry.kind) == Severity::Alarm) {
            EXPECT_FALSE(entry.look.empty()) << name(entry.kind);
            EXPECT_FALSE(entry.source.empty()) << name(entry.kind);
        }
    }
    EXPECT_EQ(find_verdict("half_open"), std::nullopt);
}

TEST(VerdictCatalogue, ExplainsInEightyColumns)
{
    for (const auto &entry : verdict_catalogue()) {
        std::istringstream lines(explain(entry.kind));
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(line.size(), 80U) << line;
    }
    const auto text = explain(VerdictKind::Refused);
    EXPECT_EQ(text.find("refused (notice)\n\nThe other host answered"), 0U) << text;
    EXPECT_NE(text.find("\nSource:   RFC 9293 section 3.5.2"), std::string::npos) << text;
}

TEST(VerdictCatalogue, ExplainsThresholdsInEightyColumns)
{
    const auto text = explain_thresholds();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_LE(line.size(), 80U) << line;
    for (const auto &entry : all_thresholds()) {
        EXPECT_NE(text.find('\n' + std::string(entry.name) + ' '), std::string::npos) << entry.name;
        EXPECT_EQ(entry.setting.empty(), entry.adjust == nullptr) << entry.name;
    }
    EXPECT_NE(text.find("\nclose-wait      60 s  in CLOSE_WAIT"), std::string::npos) << text;
}

TEST(Thresholds, GoByTheSettingsOfTheNamespace)
{
    const Thresholds defaults;
    EXPECT_EQ(adjusted(defaults, {}).churn, defaults.churn) << "nothing is known";
    const auto set = adjusted(defaults, {.ports = 6'000, .fin_timeout_s = 90, .keepalive_probes = 2, .retries1 = 5});
    EXPECT_EQ(set.timeouts, 5U);
    EXPECT_EQ(set.probes, 2U);
    EXPECT_EQ(set.close_wait_ns, 90'000'000'000U);
    EXPECT_EQ(set.fin_wait_ns, 90'000'000'000U);
    EXPECT_EQ(set.churn, 100U) << "ports in the minute of TIME_WAIT";
    const auto less = adjusted(defaults, {.ports = 28'232, .fin_timeout_s = 5, .keepalive_probes = 9, .retries1 = 1});
    EXPECT_EQ(less.timeouts, defaults.timeouts) << "R1 is three at least";
    EXPECT_EQ(less.probes, defaults.probes);
    EXPECT_EQ(less.close_wait_ns, defaults.close_wait_ns) << "a process is no faster for that";
    EXPECT_EQ(less.fin_wait_ns, 5'000'000'000U);
    EXPECT_EQ(less.churn, defaults.churn);
}

TEST(VerdictCatalogue, ListsAlarmsFirst)
{
    const auto list = list_verdicts();
    EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), static_cast<std::ptrdiff_t>(verdict_kinds));
    EXPECT_LT(list.find("alarm   half-open\n"), list.find("notice  refused\n"));
    EXPECT_LT(list.find("notice  refused\n"), list.find("normal  orderly\n"));
}

TEST(VerdictCatalogue, FindsWhatWasMeant)
{
    EXPECT_EQ(nearest_verdict("half_open"), "half-open");
    EXPECT_EQ(nearest_verdict("Half-Opne"), "half-open");
    EXPECT_EQ(nearest_verdict("keepalive"), "keepalive-timed-out");
    EXPECT_EQ(nearest_verdict("refuse"), "refused");
    EXPECT_EQ(nearest_verdict("xyzzy"), std::nullopt);
    EXPECT_EQ(nearest_verdict(""), std::nullopt);
    EXPECT_EQ(nearest_verdict(std::string(1000, 'x')), std::nullopt);
}

// docs/verdicts.md is not written by hand: tools/renew-golden does it.
TEST(VerdictCatalogue, TheDocumentIsCurrent)
{
    if (std::getenv("TCPFLIGHT_RENEW_GOLDEN") != nullptr)
        std::ofstream(VERDICTS_DOCUMENT) << verdicts_document();
    std::ifstream in(VERDICTS_DOCUMENT);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(text, verdicts_document()) << "tools/renew-golden makes it anew";
}

} // namespace
} // namespace tcpflight
