// Numbers in text, and what numbers and names of the kernel can be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tcpflight {

// Decimal digits and nothing else, of a number from `low` to `high`, both included. None: it is not that.
std::optional<std::uint64_t> to_number(std::string_view text, std::uint64_t low, std::uint64_t high);

// At least one digit, and nothing else.
bool is_digits(std::string_view text);

// Bytes: a number and "K", "KiB" (1024), "kB" (1000) and the like up to "T", in any case; without one of these, of
// `bare_unit` bytes. Up to 2^63 - 1. None: it is not that.
std::optional<std::uint64_t> to_size(std::string_view text, std::uint64_t bare_unit);

constexpr std::uint64_t max_port = 65535;
constexpr std::uint64_t max_pid = 1U << 22;    // PID_MAX_LIMIT of linux/threads.h
constexpr std::uint64_t max_uid = 0xfffffffeU; // (uid_t)-1 is nobody's number: setresuid(2)
constexpr std::size_t max_comm = 15;           // bytes: TASK_COMM_LEN of linux/sched.h without the NUL

} // namespace tcpflight
