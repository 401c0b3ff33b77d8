#include "support/record_file.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <sstream>

namespace tcpflight::test {
namespace {

Result<std::vector<std::byte>> from_hex(const std::string &line)
{
    std::vector<std::byte> bytes;
    for (std::size_t at = 0; at < line.size(); at += 2) {
        unsigned value = 0;
        const char *digits = line.data() + at;
        auto [end, error] = std::from_chars(digits, digits + std::min<std::size_t>(2, line.size() - at), value, 16);
        if (error != std::errc{} || end != digits + 2)
            return failure(fmt::format("not a line of hex digits: {}", line));
        bytes.push_back(static_cast<std::byte>(value));
    }
    return bytes;
}

} // namespace

Result<RecordFile> load_records(const std::string &path)
{
    std::ifstream in(path);
    if (!in)
        return failure(fmt::format("cannot open {}", path));
    RecordFile file;
    for (std::string line; std::getline(in, line);) {
        if (line.empty() || line.front() == '#')
            continue;
        if (line.starts_with("clock ")) {
            std::istringstream(line.substr(6)) >> file.clock.boot_ns >> file.clock.wall_ns;
            continue;
        }
        auto bytes = from_hex(line);
        if (!bytes)
            return tl::unexpected(bytes.error());
        file.records.push_back(std::move(*bytes));
    }
    return file;
}

std::string to_hex_line(std::span<const std::byte> record)
{
    std::string line;
    for (auto byte : record)
        line += fmt::format("{:02x}", static_cast<unsigned>(byte));
    return line + "\n";
}

} // namespace tcpflight::test
