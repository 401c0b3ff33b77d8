// The values of options: text in, checked values out. An error is what follows "--port: " in the sentence.
#pragma once

#include "cli/flags.h"
#include "model/result.h"

#include <bitset>
#include <cstdint>
#include <string_view>
#include <vector>

namespace tcpflight {

// A set of TCP ports.
using PortSet = std::bitset<65536>;

// "'80x' is not a port: give 1 to 65535": from the flag's own words.
Error wrong_value(const Flag &flag, std::string_view value);

// Decimal digits and nothing else, within the range.
Result<std::uint64_t> parse_number(const Flag &flag, std::string_view text, std::uint64_t low, std::uint64_t high);

// "80,443,8000-8080": adds them to the set.
Result<void> parse_ports(const Flag &flag, std::string_view text, PortSet &ports);

// "12,13": adds those that are new to the list.
Result<void> parse_pids(const Flag &flag, std::string_view text, std::vector<std::uint32_t> &pids);

// A name that a process can have: the kernel keeps 15 bytes (TASK_COMM_LEN less the NUL).
Result<void> check_comm(const Flag &flag, std::string_view text);

// "2GiB", "500M": digits and a unit, k, M, G or T (case does not count). The unit alone or with "iB" is a
// power of 1,024, with "B" of 1,000. Without one: `bare_unit` bytes.
Result<std::uint64_t> parse_size(const Flag &flag, std::string_view text, std::uint64_t bare_unit, std::uint64_t low);

// Seconds with up to nine decimals, at most `most_s`; nanoseconds.
Result<std::uint64_t> parse_seconds(const Flag &flag, std::string_view text, std::uint64_t most_s);

} // namespace tcpflight
