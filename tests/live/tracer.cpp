#include "live/tracer.h"

#include "support/legal_path.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <gtest/gtest.h>
#include <regex>
#include <stdexcept>
#include <system_error>

namespace tcpflight::test {
namespace {

constexpr std::string_view listening = "tcpflight: listening on ";
constexpr std::string_view hooks = "hooks: ";

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

std::shared_ptr<Process> shared_process()
{
    static std::shared_ptr<Process> process;
    if (!process) {
        process = std::make_shared<Process>(start_tcpflight(json_arguments({})));
        const std::string &err = process->err();
        const std::size_t begin = err.find(hooks) + hooks.size();
        testing::Test::RecordProperty("hooks", err.substr(begin, err.find(',', begin) - begin)); // for tools/kernels
    }
    return process;
}

// The listener's port.
std::uint16_t listen_and_close()
{
    const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto *any = reinterpret_cast<sockaddr *>(&address);
    if (bind(listener.get(), any, size) != 0 || listen(listener.get(), 1) != 0 ||
        getsockname(listener.get(), any, &size) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot listen");
    return ntohs(address.sin_port);
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
    : netns_(netns), is_shared_(arguments.empty() && out.kind == Output::Kind::Pipe &&
                                std::getenv("TCPFLIGHT_TEST_SHARED") != nullptr),
      process_(is_shared_ ? shared_process()
                          : std::make_shared<Process>(start_tcpflight(json_arguments(arguments), std::move(out)))),
      schema_(documented_schema()), taken_(is_shared_ ? process_->out().rfind('\n') + 1 : 0)
{
    if (!is_shared_)
        return;
    // What tests did that did not read it, perhaps in a namespace that had this number.
    leave_shared();
    events_.clear();
    verdicts_.clear();
    states_.clear();
}

void Tracer::take_lines()
{
    const std::string &out = process_->out();
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
    return process_->read_until(
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

// The process goes on. All that it has of this test was read when what this does, as the last of all, was read.
Totals Tracer::leave_shared()
{
    const std::uint16_t port = listen_and_close();
    std::optional<std::uint64_t> conn;
    const bool came = wait_until([&] {
        const auto end = std::find_if(events_.begin(), events_.end(), [&](const TraceEvent &event) {
            return event.is_change("LISTEN", "CLOSE") && event.number("local_port") == port;
        });
        if (end != events_.end())
            conn = end->number("conn");
        return conn.has_value();
    });
    if (!came) {
        ADD_FAILURE() << "tcpflight does not show what came last:\n" << process_->err();
        return {};
    }
    std::erase_if(events_,
                  [&](const TraceEvent &event) { return event.json().value("conn", nlohmann::json()) == *conn; });
    Totals totals{.status = exited(0), .shown = events_.size() + verdicts_.size(), .err = process_->err()};
    for (const TraceEvent &event : events_)
        totals.lost += event.is("lost") ? event.number("lost_events") : 0;
    return totals;
}

Totals Tracer::stop(int signal)
{
    if (is_shared_ && signal == SIGINT)
        return leave_shared();
    if (signal)
        process_->signal(signal);
    const std::optional<ExitStatus> status = process_->wait();
    if (!status) {
        ADD_FAILURE() << "tcpflight goes on after signal " << signal << ":\n" << process_->err();
        return {};
    }
    take_lines();
    EXPECT_EQ(taken_, process_->out().size()) << "the last line is not whole";
    return parse_totals(*status, process_->err());
}

bool Tracer::hangs_on_functions() const
{
    const std::string hooks = listening_line();
    return hooks.find("fentry") != std::string::npos || hooks.find("kprobe") != std::string::npos;
}

std::string Tracer::listening_line() const
{
    const std::string &err = process_->err();
    const std::size_t begin = err.find(listening);
    return err.substr(begin, err.find('\n', begin) - begin);
}

} // namespace tcpflight::test
