#include "live/tracer.h"

#include "support/legal_path.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>
#include <regex>
#include <stdexcept>

namespace tcpflight::test {
namespace {

constexpr std::string_view listening = "tcpflight: listening on ";

std::uint64_t total(const std::string &err, const char *what)
{
    const std::regex pattern(std::string("(?:^|\n)([0-9]+) events? ") + what);
    std::smatch match;
    if (!std::regex_search(err, match, pattern)) {
        ADD_FAILURE() << "no total of events " << what << " on stderr:\n" << err;
        return 0;
    }
    return std::stoull(match[1].str());
}

std::vector<std::string> json_arguments(const std::vector<std::string> &arguments)
{
    // What else goes on on the host comes through the same pipe: a buffer that holds it until it was read. (A later -B
    // takes its place.)
    std::vector<std::string> all{"--format", "json", "-B", "65536"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

} // namespace

bool TraceEvent::is_change(std::string_view from, std::string_view to) const
{
    return is("state") && json_.at("old_state") == from && json_.at("new_state") == to;
}

std::uint64_t TraceEvent::wall_ns() const
{
    const std::string text = this->text("time");
    std::tm parts{};
    const char *rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest || *rest != '.')
        throw std::runtime_error("not a time: " + text);
    const auto seconds = static_cast<std::uint64_t>(timegm(&parts));
    const auto fraction = std::string(rest + 1, text.c_str() + text.find('Z'));
    return seconds * 1'000'000'000 + std::stoull((fraction + "000000000").substr(0, 9));
}

Totals parse_totals(const ExitStatus &status, const std::string &err)
{
    return {status, total(err, "shown"), total(err, "filtered out"), total(err, "lost"), err};
}

Schema documented_schema()
{
    return Schema::from_document(TCPFLIGHT_JSON_DOCUMENT);
}

Process start_tcpflight(const std::vector<std::string> &arguments, Output out)
{
    Spawn spawn{.argv = {TCPFLIGHT_BINARY}, .out = std::move(out)};
    spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
    if (const char *layer = std::getenv("TCPFLIGHT_TEST_LAYER");
        layer != nullptr && std::find(arguments.begin(), arguments.end(), "--layer") == arguments.end())
        spawn.argv.insert(spawn.argv.begin() + 1, {"--layer", layer});
    Process process(spawn);
    const bool attached = process.read_until([&] {
        const std::size_t begin = process.err().find(listening);
        return begin != std::string::npos && process.err().find('\n', begin) != std::string::npos;
    });
    if (!attached)
        throw std::runtime_error("tcpflight does not listen: " + process.err());
    return process;
}

Finished run_tcpflight(const std::vector<std::string> &arguments)
{
    Spawn spawn{.argv = {TCPFLIGHT_BINARY}};
    spawn.argv.insert(spawn.argv.end(), arguments.begin(), arguments.end());
    return run(spawn);
}

std::optional<TraceEvent> parse_line(const Schema &schema, std::string_view line, std::uint32_t netns)
{
    // Of a busy host most lines are others'. To parse and judge them all would make this reader the slowest on the
    // host, and a tracer that waits for its reader loses events.
    if (line.find("\"netns\":") != std::string_view::npos &&
        line.find("\"netns\":" + std::to_string(netns) + ",") == std::string_view::npos &&
        line.find("\"netns\":null") == std::string_view::npos)
        return std::nullopt;
    nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_discarded()) {
        ADD_FAILURE() << "not JSON: " << line;
        return std::nullopt;
    }
    if (const std::string objections = schema.objections(json); !objections.empty())
        ADD_FAILURE() << "not as docs/json.md promises: " << line << '\n' << objections;
    if (json.value("event", "") != "lost" && json.value("netns", nlohmann::json()) != netns)
        return std::nullopt;
    return TraceEvent(std::move(json));
}

Tracer::Tracer(std::uint32_t netns, const std::vector<std::string> &arguments, Output out)
    : netns_(netns), process_(start_tcpflight(json_arguments(arguments), std::move(out))), schema_(documented_schema())
{
}

void Tracer::take_lines()
{
    const std::string &out = process_.out();
    for (std::size_t end; (end = out.find('\n', taken_)) != std::string::npos; taken_ = end + 1) {
        std::string_view line(out.data() + taken_, end - taken_);
        if (std::optional<TraceEvent> event = parse_line(schema_, line, netns_)) {
            if (event->is("verdict")) {
                verdicts_.push_back(std::move(*event));
                continue;
            }
            follow(*event);
            events_.push_back(std::move(*event));
        }
    }
}

void Tracer::follow(const TraceEvent &event)
{
    if (!event.is("state") || event.json().at("incomplete") == true)
        return;
    const std::string from = event.text("old_state");
    const std::string to = event.text("new_state");
    const bool left = event.json().at("time_wait_socket") == true;
    EXPECT_TRUE(is_legal(from, to, left)) << event.json();
    auto [state, is_new] = states_.try_emplace(event.number("conn"), from);
    EXPECT_EQ(state->second, from) << event.json();
    state->second = to;
}

bool Tracer::wait_until(const std::function<bool()> &condition, Process::Duration timeout)
{
    return process_.read_until(
        [&] {
            take_lines();
            return condition();
        },
        timeout);
}

bool Tracer::wait_for_events(std::size_t count, Process::Duration timeout)
{
    return wait_until([&] { return events_.size() >= count; }, timeout);
}

Totals Tracer::stop(int signal)
{
    if (signal)
        process_.signal(signal);
    const std::optional<ExitStatus> status = process_.wait();
    if (!status) {
        ADD_FAILURE() << "tcpflight goes on after signal " << signal << ":\n" << process_.err();
        return {};
    }
    take_lines();
    EXPECT_EQ(taken_, process_.out().size()) << "the last line is not whole";
    return parse_totals(*status, process_.err());
}

bool Tracer::hangs_on_functions() const
{
    const std::string hooks = listening_line();
    return hooks.find("fentry") != std::string::npos || hooks.find("kprobe") != std::string::npos;
}

std::string Tracer::listening_line() const
{
    const std::string &err = process_.err();
    const std::size_t begin = err.find(listening);
    return err.substr(begin, err.find('\n', begin) - begin);
}

} // namespace tcpflight::test
