// The files given to -r, in the order in which they were written.
#pragma once

#include "model/result.h"
#include "recording/disk.h"
#include "recording/format.h"
#include "recording/merged_file.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tcpflight {

struct ReplayFile {
    std::string path; // "-": standard input
    StartInfo start;  // of "-", and of a pipe, nothing is known yet
    // It is one of several in the file at `path`.
    std::shared_ptr<MergedFile> merged;
    std::uint32_t source = 0;

    // Does it go on where `before` ended?
    [[nodiscard]] bool follows(const StartInfo &before) const
    {
        return start.recording_id == before.recording_id && start.file_number == before.file_number + 1;
    }
    // For messages, not quoted: "standard input", "all.tfr, part 2 (web1)".
    [[nodiscard]] std::string name() const;
    // "cannot open 'FILE': ...".
    [[nodiscard]] Result<std::unique_ptr<InputFile>> open() const;
};

// What was merged into a file, without a look into each (`start`); what is damaged between them is told, and `damaged`
// set.
std::vector<ReplayFile> sources_in(const std::shared_ptr<MergedFile> &merged, const std::string &path, bool &damaged);

// All that is at `path`: itself, or what was merged into it, without a look into each (`start`). What is damaged in a
// merged file is told on standard error, and `damaged` set.
Result<std::vector<ReplayFile>> find_sources(const std::string &path, bool &damaged);

// The same file with what is said at its begin. An error: it cannot be read, or is no recording, or is a pipe.
Result<ReplayFile> look_into(ReplayFile file);

// Looks into each, and brings them into the order of time, as below.
Result<std::vector<ReplayFile>> order(std::vector<ReplayFile> files);

// Looks into each, and brings them into the order of time: a shell sorts rec, rec1, rec10, rec2. The files of a
// recording follow each other. One file alone is not looked into, as it may be a pipe, unless it is a merged one.
Result<std::vector<ReplayFile>> find_order(const std::vector<std::string> &paths, bool &damaged);

// Leaves out files at the begin that end before `wall_ns`: those that the next one follows, which begins by then.
void skip_until(std::vector<ReplayFile> &files, std::int64_t wall_ns);

} // namespace tcpflight
