// Raw records kept as text, for golden tests: what one run on a real kernel sent, readable in a diff.
//
//     # comment
//     clock BOOT_NS WALL_NS
//     HEX...            one record a line
#pragma once

#include "model/clock.h"
#include "model/result.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tcpflight::test {

struct RecordFile {
    ClockAnchor clock;
    std::vector<std::vector<std::byte>> records;
};

Result<RecordFile> load_records(const std::string &path);

std::string to_hex_line(std::span<const std::byte> record);

} // namespace tcpflight::test
