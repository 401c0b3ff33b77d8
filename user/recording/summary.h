// What is in a file of a recording, and is it whole: `tcpflight info`.
#pragma once

#include "model/result.h"
#include "recording/reader.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpflight {

struct Summary {
    StartInfo start;
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    std::array<std::uint64_t, 256> by_type{}; // by tf_header::type
    std::map<std::uint32_t, std::uint64_t>
        lost;                      // by tf_loss::reason: records that were lost while this file was written
    std::uint64_t connections = 0; // that had a record in this file
    std::uint64_t alive_at_start = 0;
    std::uint64_t first_ns = 0; // CLOCK_BOOTTIME of the first and the last record; 0: there are none
    std::uint64_t last_ns = 0;
    std::vector<ClockAnchor> clocks; // the first, and one for each step of the wall clock
    std::uint64_t entry_points = 0;
    std::uint64_t unknown = 0;   // see RecordingReader
    bool finished = false;       // by its writer; otherwise it is being written, or the writer was killed
    std::vector<Damage> damages; // the first thousand
    std::uint64_t damage_count = 0;

    [[nodiscard]] bool is_whole() const { return damage_count == 0; }
};

// Reads all of it.
Result<Summary> summarize(std::unique_ptr<InputFile> file, std::string_view name);

} // namespace tcpflight
