// tcpflight, running beside a test.
#pragma once

#include "live/schema.h"
#include "support/process.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight::test {

// One line of `--format json`. Getters throw if the line lacks the key or has null.
class TraceEvent {
public:
    explicit TraceEvent(nlohmann::json json) : json_(std::move(json)) {}

    [[nodiscard]] const nlohmann::json &json() const { return json_; }
    [[nodiscard]] std::string text(const char *key) const { return json_.at(key).get<std::string>(); }
    [[nodiscard]] std::uint64_t number(const char *key) const { return json_.at(key).get<std::uint64_t>(); }
    [[nodiscard]] bool is_null(const char *key) const { return json_.at(key).is_null(); }
    [[nodiscard]] bool is(const char *kind) const { return json_.at("event") == kind; }
    [[nodiscard]] bool is_change(std::string_view from, std::string_view to) const;
    // "time" in nanoseconds since the epoch.
    [[nodiscard]] std::uint64_t wall_ns() const;

private:
    nlohmann::json json_;
};

// What is said on stderr at the end.
struct Totals {
    ExitStatus status;
    std::uint64_t shown = 0;
    std::uint64_t filtered_out = 0;
    std::uint64_t lost = 0;
    std::string err; // all of stderr
};

// Finds the totals in stderr; a missing one fails the test.
Totals parse_totals(const ExitStatus &status, const std::string &err);

class Tracer {
public:
    // Starts `tcpflight --format json ARGUMENTS` and returns when it has said that it listens: from then on no event
    // may be missed. Throws std::runtime_error with its stderr if it does not come to that.
    //
    // Only events of namespace `netns` (and losses) are kept: the rest of the host goes on meanwhile.
    //
    // With TCPFLIGHT_TEST_SHARED in the environment, tracers without arguments read one tcpflight, that of the first of
    // them: on an emulated machine the kernel's check of the programs takes most of a test's time.
    Tracer(std::uint32_t netns, const std::vector<std::string> &arguments, Output out = {});

    // What was printed so far about this namespace, in order. Every line of it, and every one that names no namespace,
    // was held against the schema; an objection fails the test. So does a path of states that cannot be
    // (support/legal_path.h), unless the connection is incomplete.
    [[nodiscard]] const std::vector<TraceEvent> &events() const { return events_; }

    // The verdicts among it, which events() leaves out.
    [[nodiscard]] const std::vector<TraceEvent> &verdicts() const { return verdicts_; }

    // Reads on until `condition` holds; false if the time is over before.
    bool wait_until(const std::function<bool()> &condition, Process::Duration timeout = Process::default_timeout);
    bool wait_for_events(std::size_t count, Process::Duration timeout = Process::default_timeout);

    // Sends `signal` (0: none, it ends by itself) and reads all that is left.
    Totals stop(int signal = SIGINT);

    // "tcpflight: listening on ..."
    [[nodiscard]] std::string listening_line() const;
    // Do its programs hang on functions (fentry, kprobe), or on tracepoints alone?
    [[nodiscard]] bool hangs_on_functions() const;
    [[nodiscard]] Process &process() { return *process_; }

private:
    Totals leave_shared();
    void take_lines();
    void follow(const TraceEvent &event);

    std::uint32_t netns_;
    bool is_shared_;
    std::shared_ptr<Process> process_;
    Schema schema_;
    std::vector<TraceEvent> events_;
    std::vector<TraceEvent> verdicts_;
    std::size_t taken_ = 0;                       // bytes of the output that were parsed
    std::map<std::uint64_t, std::string> states_; // connection > the state it is in
};

// A line of the output, held against the schema unless it is of another namespace. None if it is not of this one.
std::optional<TraceEvent> parse_line(const Schema &schema, std::string_view line, std::uint32_t netns);

// The schema of docs/json.md.
Schema documented_schema();

// Starts tcpflight with these very arguments and returns when it listens. TCPFLIGHT_TEST_LAYER in the environment keeps
// it to that layer, unless they name one.
Process start_tcpflight(const std::vector<std::string> &arguments, Output out = {});

// Runs it to its end.
Finished run_tcpflight(const std::vector<std::string> &arguments);

} // namespace tcpflight::test
