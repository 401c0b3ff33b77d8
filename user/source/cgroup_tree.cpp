#include "source/cgroup_tree.h"

#include "model/number.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

struct Close {
    void operator()(DIR *directory) const { closedir(directory); }
};

// The next part up to `separator`, which is taken off too.
std::string_view take_part(std::string_view &text, char separator)
{
    const auto end = std::min(text.find(separator), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
}

bool lists(std::string_view list, std::string_view wanted)
{
    while (!list.empty()) {
        if (take_part(list, ',') == wanted)
            return true;
    }
    return false;
}

constexpr std::string_view old_controller = "pids";

// "8:pids:/user.slice": the number of the hierarchy; 0: there is none, or it is version 2's.
std::uint32_t old_hierarchy(std::string_view own_cgroups)
{
    while (!own_cgroups.empty()) {
        auto line = take_part(own_cgroups, '\n');
        const auto number = take_part(line, ':');
        if (!lists(take_part(line, ':'), old_controller))
            continue;
        return static_cast<std::uint32_t>(to_number(number, 0, std::numeric_limits<std::uint32_t>::max()).value_or(0));
    }
    return 0;
}

// "36 35 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate" (proc_pid_mountinfo(5))
struct MountLine {
    std::string_view root;
    std::string_view folder;
    std::string_view type;
    std::string_view options;
};

MountLine parse_mount(std::string_view line)
{
    MountLine mount;
    for (int i = 0; i < 3; i++)
        take_part(line, ' ');
    mount.root = take_part(line, ' ');
    mount.folder = take_part(line, ' ');
    while (!line.empty() && take_part(line, ' ') != "-") {
    }
    mount.type = take_part(line, ' ');
    take_part(line, ' ');
    mount.options = line;
    return mount;
}

// Of a mount that shows more than this process's cgroup namespace, the way up is no part of anybody's path.
std::string root_path(std::string_view root)
{
    return std::string(root.starts_with("/..") ? std::string_view("/") : root);
}

std::string read_text(const char *path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

std::vector<CgroupMount> find_cgroup_mounts(std::string_view mountinfo, std::string_view own_cgroups)
{
    const auto old = old_hierarchy(own_cgroups);
    std::vector<CgroupMount> mounts;
    while (!mountinfo.empty()) {
        const auto line = parse_mount(take_part(mountinfo, '\n'));
        const bool is_old = line.type == "cgroup" && old != 0 && lists(line.options, old_controller);
        if (line.type != "cgroup2" && !is_old)
            continue;
        CgroupMount mount{
            .folder = std::string(line.folder), .root = root_path(line.root), .hierarchy = is_old ? old : 0};
        auto same = std::ranges::find(mounts, mount.hierarchy, &CgroupMount::hierarchy);
        if (same == mounts.end())
            mounts.push_back(std::move(mount));
        else if (mount.root == "/" && same->root != "/") // it shows more
            *same = std::move(mount);
    }
    return mounts;
}

void read_cgroup_folder(const std::string &folder, std::uint32_t hierarchy, const std::string &path, Cgroups &out)
{
    struct stat status {};
    if (stat(folder.c_str(), &status) != 0)
        return;
    out.put({.id = status.st_ino, .hierarchy = hierarchy}, path);

    std::vector<std::string> waiting{path == "/" ? std::string() : path};
    const auto above = waiting.front().size();
    while (!waiting.empty()) {
        const auto parent = std::move(waiting.back());
        waiting.pop_back();
        const std::unique_ptr<DIR, Close> directory(opendir((folder + parent.substr(above)).c_str()));
        while (const auto *entry = directory ? readdir(directory.get()) : nullptr) {
            const std::string_view name = entry->d_name;
            if (entry->d_type != DT_DIR || name == "." || name == "..")
                continue;
            auto child = parent + "/";
            child += name;
            // The folder's inode number is the cgroup's id (kernfs_ino() in include/linux/kernfs.h).
            out.put({.id = entry->d_ino, .hierarchy = hierarchy}, child);
            waiting.push_back(std::move(child));
        }
    }
}

void read_cgroups(Cgroups &out)
{
    for (const auto &mount : find_cgroup_mounts(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup")))
        read_cgroup_folder(mount.folder, mount.hierarchy, mount.root, out);
}

} // namespace tcpflight
