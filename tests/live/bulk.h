// For tests with more events than one wants to keep: tcpflight writes to a file, which is read line by line afterwards.
#pragma once

#include "live/tracer.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

namespace tcpflight::test {

// A file name of the test's own; the file goes with it.
class TemporaryFile {
public:
    TemporaryFile()
    {
        int fd = mkstemp(path_.data());
        if (fd < 0)
            throw std::runtime_error("mkstemp " + path_);
        close(fd);
    }
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;
    ~TemporaryFile() { unlink(path_.c_str()); }

    [[nodiscard]] const std::string &path() const { return path_; }

private:
    std::string path_ = testing::TempDir() + "tcpflight-live-XXXXXX";
};

class BulkTracer {
public:
    BulkTracer(std::uint32_t netns, const std::vector<std::string> &arguments)
        : netns_(netns), tracer_(netns, arguments, Output::file(file_.path()))
    {
    }

    [[nodiscard]] Tracer &tracer() { return tracer_; }

    // The events of the namespace, and losses, in order. After Tracer::stop().
    void for_each(const std::function<void(const TraceEvent &)> &visit) const
    {
        const Schema schema = documented_schema();
        std::ifstream lines(file_.path());
        for (std::string line; std::getline(lines, line);)
            if (std::optional<TraceEvent> event = parse_line(schema, line, netns_))
                visit(*event);
    }

private:
    std::uint32_t netns_;
    TemporaryFile file_;
    Tracer tracer_;
};

} // namespace tcpflight::test
