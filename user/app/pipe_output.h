// A recording into a pipe, without ever being stuck in it.
#pragma once

#include "model/result.h"
#include "recording/disk.h"

#include <memory>
#include <string>

namespace tcpflight {

// For `path` as given to -w: a pipe as below, or a file. `force`: also if a file is there that is no recording.
Result<std::unique_ptr<OutputFile>> create_output(const std::string &path, bool force, int interrupt_fd);

// `path` as given to -w: none if it is a file, or nothing yet. A reader that does not read is waited for, as long as
// `interrupt_fd` is not readable; append() then fails with ECANCELED, having written a part. So is a named pipe's first
// reader. EPIPE: nobody reads it any more.
Result<std::unique_ptr<OutputFile>> open_pipe(const std::string &path, int interrupt_fd);

// For messages: "standard output", or the name in quotes.
std::string quote_output(const std::string &path);

} // namespace tcpflight
