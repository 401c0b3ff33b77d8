// Which file of a recording is written now, and when the next one begins: tcpdump's -w, -C, -G and -W (tcpdump(8);
// MakeFilename() and dump_packet_and_trunc() in tcpdump.c).
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

namespace tcpflight {

struct RotationSettings {
    std::string name;                             // with strftime(3) conversions if `rotate_s`
    std::optional<std::uint64_t> file_bytes = {}; // -C
    std::optional<std::uint32_t> rotate_s = {};   // -G
    std::optional<std::uint32_t> max_files = {};  // -W
    // A new file at this size even without -C, so that old ones can go. -W does not count those.
    std::optional<std::uint64_t> soft_bytes = {};
};

class Rotation {
public:
    Rotation(RotationSettings settings, std::time_t now);

    // Of the file that is written now.
    [[nodiscard]] const std::string &path() const { return path_; }

    enum class Step : std::uint8_t {
        Stay,
        Next, // path() is another file now; perhaps one that is there already
        End,  // -G with -W: these were all
    };
    // To be asked before a record is written, and when due() has come.
    Step look(std::uint64_t file_bytes, std::time_t now);
    // Wall-clock second of the next file, however small this one is; none: only its size decides.
    [[nodiscard]] std::optional<std::time_t> due() const;

private:
    [[nodiscard]] std::string make_path() const;

    RotationSettings settings_;
    std::time_t period_begin_;    // what is filled into the name
    std::uint32_t periods_ = 0;   // that are over
    std::uint64_t in_period_ = 0; // files begun since, but for the first
    std::string path_;
};

// The files that a name with conversions and numbers stands for, as a pattern of fnmatch(3): "rec-%H.tfr" >
// "rec-*.tfr". What is special in a pattern is escaped. Numbers behind are not in it.
std::string name_pattern(const std::string &name, bool has_conversions);

} // namespace tcpflight
