// The files given to -r, in the order in which they were written.
#pragma once

#include "model/result.h"
#include "recording/disk.h"
#include "recording/format.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcpflight {

struct ReplayFile {
    std::string path; // "-": standard input
    StartInfo start;  // of "-" nothing is known yet

    // Does it go on where `before` ended?
    [[nodiscard]] bool follows(const StartInfo &before) const
    {
        return start.recording_id == before.recording_id && start.file_number == before.file_number + 1;
    }
};

// "cannot open 'FILE': ...".
Result<std::unique_ptr<InputFile>> open_input(const std::string &path);

// Looks into each, and brings them into the order of time: a shell sorts rec, rec1, rec10, rec2.
Result<std::vector<ReplayFile>> find_order(const std::vector<std::string> &paths);

// Leaves out files at the begin that end before `wall_ns`: those that the next one follows, which begins by then.
void skip_until(std::vector<ReplayFile> &files, std::int64_t wall_ns);

} // namespace tcpflight
