// Recorded records in, the exact bytes of every output out. Each cases/NAME.records is shown in each of the styles
// below and compared with cases/NAME.STYLE; tools/renew-golden rewrites those, for a person to read the diff.
#include "app/pipeline.h"
#include "recording/reader.h"
#include "recording/writer.h"
#include "sink/make_sink.h"
#include "support/expression.h"
#include "support/record_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tcpflight::test {
namespace {

namespace fs = std::filesystem;

const fs::path cases = GOLDEN_CASES;

const std::map<std::string, OutputStyle> &styles()
{
    static const auto all = [] {
        std::map<std::string, OutputStyle> map;
        map["txt"] = {};
        map["verbose.txt"].metrics = true;
        map["verbose.txt"].precision = TimePrecision::Nano;
        map["quiet.txt"].quiet = true;
        map["quiet.txt"].time = TimeStyle::DeltaLine;
        map["80.txt"].columns = 80;
        map["color.txt"].color = true;
        map["json"].format = Format::Json;
        map["tcplife.txt"].format = Format::Tcplife;
        map["tcpstates.txt"].format = Format::Tcpstates;
        map["timeline.txt"].timelines = true;
        map["timeline.verbose.txt"].timelines = true;
        map["timeline.verbose.txt"].metrics = true;
        map["timeline.verbose.txt"].precision = TimePrecision::Nano;
        map["timeline.color.txt"].timelines = true;
        map["timeline.color.txt"].color = true;
        map["timeline.color.txt"].time = TimeStyle::DeltaStart;
        map["summary.txt"].summary_ns = 1'000'000'000;
        map["timeline.quiet.txt"].timelines = true;
        map["timeline.quiet.txt"].quiet = true;
        return map;
    }();
    return all;
}

std::vector<std::string> case_names()
{
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto &entry : fs::directory_iterator(cases, missing)) {
        if (entry.path().extension() == ".records")
            names.push_back(entry.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Each end is judged: what a verdict says is part of what is compared.
Pipeline::Settings settings(const OutputStyle &style)
{
    Pipeline::Settings settings;
    const bool has_columns = style.format == Format::Tcplife || style.format == Format::Tcpstates;
    settings.show_found = !has_columns;
    settings.verdicts = has_columns ? Verdicts::None : Verdicts::All;
    settings.timelines = style.timelines;
    return settings;
}

std::string show(const RecordFile &file, const OutputStyle &style)
{
    auto sink = make_sink(style);
    Pipeline pipeline(settings(style), *sink);
    pipeline.set_clock(file.clock);
    for (const auto &record : file.records)
        pipeline.consume(record);
    pipeline.finish();
    EXPECT_EQ(pipeline.totals().malformed, 0U);
    return pipeline.output();
}

// A recording on disk of a test's own.
class RecordingFile {
public:
    explicit RecordingFile(const RecordFile &file)
    {
        int fd = mkstemp(path_.data());
        EXPECT_GE(fd, 0) << path_;
        RecordingWriter::Settings settings;
        settings.start.clock = file.clock;
        Table known;
        RecordingWriter writer(output_to(fd), settings, known);
        Record decoded{};
        for (const auto &record : file.records) {
            EXPECT_TRUE(writer.write(record));
            EXPECT_EQ(decode(record, decoded), DecodeError::None);
            known.observe(decoded);
        }
        EXPECT_TRUE(writer.finish());
        close(fd);
    }
    RecordingFile(const RecordingFile &) = delete;
    RecordingFile &operator=(const RecordingFile &) = delete;
    ~RecordingFile() { std::remove(path_.c_str()); }

    [[nodiscard]] const std::string &path() const { return path_; }

private:
    std::string path_ = testing::TempDir() + "tcpflight-golden-XXXXXX";
};

class PipelineFeeder : public RecordingConsumer {
public:
    explicit PipelineFeeder(Pipeline &pipeline) : pipeline_(pipeline) {}
    bool record(std::span<const std::byte> bytes) override { return pipeline_.consume(bytes); }
    void clock(const ClockAnchor &anchor) override { pipeline_.set_clock(anchor); }
    void entry_point(const EntryPoint &entry) override
    {
        pipeline_.restore(entry.gaps, entry.cgroups, entry.connections);
    }
    void damage(const Damage &damage) override { ADD_FAILURE() << damage.what << " at " << damage.offset; }

private:
    Pipeline &pipeline_;
};

std::string show_recorded(const RecordFile &file, const OutputStyle &style)
{
    RecordingFile recording(file);
    auto input = real_disk().open(recording.path());
    EXPECT_TRUE(input);
    auto reader = RecordingReader::open(std::move(*input), recording.path());
    EXPECT_TRUE(reader);
    auto sink = make_sink(style);
    Pipeline pipeline(settings(style), *sink);
    PipelineFeeder feeder(pipeline);
    auto step = reader->read(feeder);
    while (step && *step == RecordingReader::Step::More)
        step = reader->read(feeder);
    EXPECT_TRUE(step && *step == RecordingReader::Step::Finished);
    pipeline.finish();
    return pipeline.output();
}

class Golden : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(Golden, IsAsItWas)
{
    const auto &[name, style] = GetParam();
    auto file = load_records(cases / (name + ".records"));
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_FALSE(file->records.empty());
    auto actual = show(*file, styles().at(style));

    auto expected_path = cases / (name + "." + style);
    if (std::getenv("TCPFLIGHT_RENEW_GOLDEN") != nullptr)
        std::ofstream(expected_path) << actual;
    std::ifstream in(expected_path);
    std::string expected{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(actual, expected) << "if the new output is right: tools/renew-golden";
    EXPECT_EQ(show_recorded(*file, styles().at(style)), actual) << "recorded and replayed";
}

std::vector<std::string> style_names()
{
    std::vector<std::string> names;
    for (const auto &[name, style] : styles())
        names.push_back(name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden,
                         testing::Combine(testing::ValuesIn(case_names()), testing::ValuesIn(style_names())),
                         [](const auto &parameter) {
                             auto name = std::get<0>(parameter.param) + "_" + std::get<1>(parameter.param);
                             std::replace_if(
                                 name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
                             return name;
                         });

std::set<std::uint16_t> ports_in(const RecordFile &file)
{
    std::set<std::uint16_t> ports;
    Record decoded{};
    for (const auto &record : file.records) {
        if (decode(record, decoded) != DecodeError::None || decoded.header.type == TF_RECORD_LOST)
            continue;
        ports.insert(decoded.header.local_port);
        if (decoded.has(TF_FLAG_IDENTITY))
            ports.insert({decoded.identity.local_port, decoded.identity.remote_port});
    }
    ports.erase(0);
    return ports;
}

std::string show_filtered(const RecordFile &file, const std::string &style, const std::string &filter,
                          std::optional<std::uint64_t> count)
{
    auto sink = make_sink(styles().at(style));
    auto wanted = settings(styles().at(style));
    wanted.filter = filter_of(filter);
    wanted.count = count;
    Pipeline pipeline(wanted, *sink);
    pipeline.set_clock(file.clock);
    for (const auto &record : file.records) {
        if (!pipeline.consume(record))
            break;
    }
    pipeline.finish();
    auto totals = pipeline.totals();
    return pipeline.output() + "shown " + std::to_string(totals.shown) + ", filtered out " +
           std::to_string(totals.filtered_out);
}

class GoldenFiltered : public testing::TestWithParam<std::string> {};

// What a filter that is of both ends does not want goes a short way. The same, said otherwise, does not.
TEST_P(GoldenFiltered, IsTheSameByTheShortWay)
{
    auto file = load_records(cases / (GetParam() + ".records"));
    ASSERT_TRUE(file) << file.error().message;
    for (auto port : ports_in(*file)) {
        auto one = std::to_string(port);
        for (const auto &[brief, full] :
             {std::pair("port " + one, "src port " + one + " or dst port " + one),
              std::pair("not port " + one, "not (src port " + one + " or dst port " + one + ")")}) {
            ASSERT_TRUE(filter_of(brief).is_of_both_ends());
            ASSERT_FALSE(filter_of(full).is_of_both_ends());
            for (const auto *style : {"txt", "timeline.txt", "tcplife.txt"}) {
                EXPECT_EQ(show_filtered(*file, style, brief, {}), show_filtered(*file, style, full, {}))
                    << brief << ", " << style;
                EXPECT_EQ(show_filtered(*file, style, brief, 3), show_filtered(*file, style, full, 3))
                    << brief << ", " << style << ", three events";
            }
        }
    }
}

// Is `passing` the same as observing, for a table that wants what `wanted` says?
void expect_same_by_the_short_way(const std::string &name_of_case, const Table::Wanted &wanted, Table::Passing passing)
{
    auto file = load_records(cases / (name_of_case + ".records"));
    ASSERT_TRUE(file) << file.error().message;
    Table passed(wanted);
    Table observed(wanted);
    Record decoded{};
    std::size_t short_ways = 0;
    auto all_of = [](const Table &table) {
        std::string all;
        table.for_each([&all](const KnownConnection &known) {
            all += std::to_string(known.cookie) + ' ' + std::to_string(known.changed_ns) + ' ' +
                   std::to_string(known.last_seen_ns) + ' ' + std::to_string(known.queued_ns) + ' ' +
                   std::to_string(known.gaps_seen) + ' ' + std::string(name(known.state)) + ' ' +
                   std::to_string(known.entry_seen) + std::to_string(known.found) + std::to_string(known.opened_here) +
                   std::to_string(known.incomplete) + std::to_string(known.drops_known) + ' ' +
                   std::string(name(known.identity.owner.source)) + '\n';
        });
        return all;
    };
    for (const auto &record : file->records) {
        ASSERT_EQ(decode(record, decoded), DecodeError::None);
        const auto event = observed.observe(decoded);
        if (const auto is_wanted = passed.pass(decoded, passing)) {
            short_ways++;
            ASSERT_TRUE(event);
            ASSERT_EQ(*is_wanted, event->wanted);
        } else {
            passed.observe(decoded);
        }
        ASSERT_EQ(all_of(passed), all_of(observed));
        ASSERT_EQ(passed.slot(), observed.slot());
    }
    EXPECT_GT(short_ways, 0U);
}

// Of a table too that wants nothing, and of one that wants all and shows nothing.
TEST_P(GoldenFiltered, IsKnownTheSameByTheShortWay)
{
    auto nothing = [](const Identity & /*identity*/, Direction /*direction*/) { return Admission::No; };
    expect_same_by_the_short_way(GetParam(), nothing, Table::Passing::Unwanted);
    expect_same_by_the_short_way(GetParam(), {}, Table::Passing::All);
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenFiltered, testing::ValuesIn(case_names()), [](const auto &parameter) {
    auto name = parameter.param;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
    return name;
});

// The suites above would be empty, and pass, if the cases were not found.
TEST(Golden, HasCases)
{
    EXPECT_GE(case_names().size(), 5U);
}

} // namespace
} // namespace tcpflight::test
