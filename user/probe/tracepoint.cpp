#include "probe/tracepoint.h"

#include "model/file_descriptor.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tcpflight {
namespace {

// Where it is mounted, or else a mount of our own that has no place in the tree of files and goes with its descriptor
// (fsopen, Linux 5.2).
FileDescriptor open_tracefs()
{
    for (const char *path : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        FileDescriptor mounted(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (mounted.is_open() && faccessat(mounted.get(), "events", X_OK, 0) == 0)
            return mounted;
    }
    const FileDescriptor context(fsopen("tracefs", FSOPEN_CLOEXEC));
    if (!context.is_open() || fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
        return {};
    return FileDescriptor(fsmount(context.get(), FSMOUNT_CLOEXEC, 0));
}

std::optional<std::uint64_t> event_number(const FileDescriptor &tracefs, const std::string &event)
{
    const FileDescriptor file(openat(tracefs.get(), ("events/" + event + "/id").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 24> text{};
    if (!file.is_open() || read(file.get(), text.data(), text.size() - 1) <= 0)
        return std::nullopt;
    return std::strtoull(text.data(), nullptr, 10);
}

// An event of one CPU that nobody reads: the program on it runs on all.
FileDescriptor open_event(std::uint64_t number)
{
    perf_event_attr attributes{};
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof(attributes);
    attributes.config = number;
    attributes.sample_period = 1;
    return FileDescriptor(static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
}

// "tp/syscalls/sys_exit_accept+sys_exit_accept4": both, of the group "syscalls". Empty if one of them cannot be opened.
std::vector<FileDescriptor> open_events(const bpf_program *program)
{
    std::string_view section = bpf_program__section_name(program);
    section.remove_prefix(section.find('/') + 1);
    const std::string group(section.substr(0, section.find('/') + 1));
    section.remove_prefix(group.size());

    const auto tracefs = open_tracefs();
    std::vector<FileDescriptor> events;
    while (!section.empty()) {
        const auto name = section.substr(0, section.find('+'));
        section.remove_prefix(std::min(name.size() + 1, section.size()));
        const auto number = event_number(tracefs, group + std::string(name));
        auto event = number ? open_event(*number) : FileDescriptor();
        if (!event.is_open())
            return {};
        events.push_back(std::move(event));
    }
    return events;
}

} // namespace

bool Tracepoints::open(const bpf_program *program)
{
    auto &events = events_[program];
    if (events.empty())
        events = open_events(program);
    return !events.empty();
}

std::vector<bpf_link *> Tracepoints::attach(const bpf_program *program)
{
    std::vector<bpf_link *> links;
    for (auto &event : std::exchange(events_[program], {})) {
        auto *link = bpf_program__attach_perf_event(program, event.get());
        if (link == nullptr) {
            const int error = errno;
            for (auto *earlier : links)
                bpf_link__destroy(earlier);
            errno = error;
            return {};
        }
        // The link closes it.
        event.release();
        links.push_back(link);
    }
    return links;
}

} // namespace tcpflight
