#include "app/pipe_output.h"

#include "app/output.h"
#include "app/report.h"
#include "filter/quote.h"
#include "model/file_descriptor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

class PipeOutput : public OutputFile {
public:
    // `fd` is not owned; `owned` closes it, or is not open.
    PipeOutput(int fd, FileDescriptor owned, int interrupt_fd, const std::string &path)
        : owned_(std::move(owned)), output_(fd, interrupt_fd)
    {
        output_.on_stall([path] {
            report_error({fmt::format("{} is not being read: what finds no room until it is will be counted as lost",
                                      quote_output(path))},
                         0);
        });
    }

    IoResult<void> append(std::span<const std::byte> bytes) override
    {
        switch (output_.write({reinterpret_cast<const char *>(bytes.data()), bytes.size()})) {
        case Output::Outcome::Written: return {};
        case Output::Outcome::Closed: return tl::unexpected<int>(EPIPE);
        case Output::Outcome::Interrupted: return tl::unexpected<int>(ECANCELED);
        case Output::Outcome::Failed: break;
        }
        return tl::unexpected<int>(output_.error());
    }
    IoResult<void> sync() override { return {}; }

private:
    FileDescriptor owned_;
    Output output_;
};

// Opening it for writing waits for a reader, and does not look at signals; so this asks again and again.
Result<FileDescriptor> open_named_pipe(const std::string &path, int interrupt_fd)
{
    constexpr int interval_ms = 50;
    for (;;) {
        FileDescriptor pipe(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
        if (pipe.is_open())
            return pipe;
        if (errno != ENXIO)
            return failure(fmt::format("cannot write to {}: {}", quote(path), std::strerror(errno)));
        pollfd interrupt{.fd = interrupt_fd, .events = POLLIN, .revents = 0};
        if (poll(&interrupt, 1, interval_ms) == 1)
            return failure(fmt::format("cannot write to {}: nobody has opened it for reading", quote(path)));
    }
}

} // namespace

Result<std::unique_ptr<OutputFile>> open_pipe(const std::string &path, int interrupt_fd)
{
    struct stat status {};
    bool is_output = path == "-";
    if ((is_output ? fstat(STDOUT_FILENO, &status) : stat(path.c_str(), &status)) != 0)
        return nullptr; // whoever creates it will say what is wrong
    if (is_output && !S_ISREG(status.st_mode))
        return std::make_unique<PipeOutput>(STDOUT_FILENO, FileDescriptor(), interrupt_fd, path);
    if (is_output || !S_ISFIFO(status.st_mode))
        return nullptr;
    auto pipe = open_named_pipe(path, interrupt_fd);
    if (!pipe)
        return tl::unexpected(pipe.error());
    int fd = pipe->get();
    return std::make_unique<PipeOutput>(fd, std::move(*pipe), interrupt_fd, path);
}

Result<std::unique_ptr<OutputFile>> create_output(const std::string &path, bool force, int interrupt_fd)
{
    if (auto pipe = open_pipe(path, interrupt_fd); !pipe || *pipe)
        return pipe;
    if (path == "-")
        return output_to(STDOUT_FILENO);
    auto file = real_disk().create(path, force ? Replace::Anything : Replace::Recordings);
    if (file)
        return std::move(*file);
    if (file.error() == EEXIST)
        return failure(
            fmt::format("{} is there and is not a recording of tcpflight: give another name, or --force", quote(path)));
    return failure(fmt::format("cannot write to {}: {}", quote(path), std::strerror(file.error())));
}

std::string quote_output(const std::string &path)
{
    return path == "-" ? std::string("standard output") : quote(path);
}

} // namespace tcpflight
