// --keep: the files of a recording, also those of earlier runs, of which the oldest go when all take too much room.
#pragma once

#include "recording/disk.h"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace tcpflight {

class Shelf {
public:
    struct Item {
        std::string path;
        std::uint64_t bytes = 0;
    };

    // `items`, the oldest first, are there already.
    Shelf(Disk &disk, std::uint64_t keep_bytes, std::vector<Item> items);

    // This file is written from now on, and is never deleted before the next one is. It may have been there.
    void begin(const std::string &path);
    // Deletes the oldest while all together, with `current_bytes` in the file that is written, take more than they may.
    // A file that somebody has deleted meanwhile takes nothing. Returns those that could not be deleted, with the
    // reason: they are not tried again.
    struct Refusal {
        std::string path;
        int error = 0; // errno
    };
    std::vector<Refusal> make_room(std::uint64_t current_bytes);
    // The file that is written is complete.
    void end(std::uint64_t bytes);

    [[nodiscard]] std::uint64_t total_bytes() const { return total_; }

private:
    Disk &disk_;
    std::uint64_t keep_bytes_;
    std::deque<Item> items_;
    std::uint64_t total_ = 0; // of items_
    std::string current_;
};

// The recordings that `name` (-w) stands for, the oldest first: files whose names fit (see name_pattern()), with a
// number behind or not, and that begin as a recording does.
std::vector<Shelf::Item> find_recordings(Disk &disk, const std::string &name, bool has_conversions);

} // namespace tcpflight
