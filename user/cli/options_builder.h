// From flags and their values to Options. Takes the flags one by one; what depends on several of them, or on the
// surroundings, is decided at the end. Errors are what follows "tcpflight: " (apply(): "--port: ").
#pragma once

#include "cli/flags.h"
#include "cli/options.h"
#include "cli/values.h"
#include "model/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

enum class ColorWhen : std::uint8_t { Auto, Always, Never };

class OptionsBuilder {
public:
    Result<void> apply(const Flag &flag, std::string_view value);
    // It is for `list`.
    void list() { options_.list = list_; }
    // It is for `top`: before the flags, of which some mean something else then.
    void top() { options_.top.emplace(); }
    // What the flags come to together; `words` belonged to none: files, with -r, and an expression.
    Result<void> combine(std::vector<std::string> words, const Names &names);
    [[nodiscard]] bool explains() const { return explain_; }
    Options finish(const Surroundings &surroundings) &&;

private:
    Result<void> apply_recording(const Flag &flag, std::string_view value);
    Result<void> apply_reading(const Flag &flag, std::string_view value);
    [[nodiscard]] Result<void> check_columns() const;
    [[nodiscard]] Result<void> check_recording() const;
    [[nodiscard]] Result<void> check_reading() const;
    Result<void> set_filter(const std::vector<std::string> &words, const Names &names);
    static Result<void> add_ports(const Flag &flag, std::string_view value, std::unique_ptr<PortSet> &ports);
    Result<void> add_comm(const Flag &flag, std::string_view value);
    Result<void> count_time();
    Result<void> set_count(const Flag &flag, std::string_view value);
    Result<void> set_summary(const Flag &flag, std::string_view value);
    Result<void> set_buffer_size(const Flag &flag, std::string_view value);
    Result<void> set_sweep(const Flag &flag, std::string_view value);
    Result<void> set_threshold(const Flag &flag, std::string_view value);

    Options options_;
    ListOptions list_;
    RecordOptions record_;
    ReadOptions read_;
    std::vector<FlagId> given_;            // those whose company matters, in order
    std::unique_ptr<PortSet> either_port_; // null: not given
    std::unique_ptr<PortSet> local_port_;
    std::unique_ptr<PortSet> remote_port_;
    std::vector<std::uint32_t> pids_;
    std::vector<std::string> comms_;
    bool ipv4_ = false;
    bool ipv6_ = false;
    bool explain_ = false;
    ColorWhen color_ = ColorWhen::Auto;
};

} // namespace tcpflight
