#include "model/cgroup.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace tcpflight {
namespace {

constexpr std::size_t id_digits = 64;

std::string_view without_suffix(std::string_view text, std::string_view suffix)
{
    if (text.ends_with(suffix))
        text.remove_suffix(suffix.size());
    return text;
}

// "docker-ID.scope", "cri-containerd-ID.scope", "crio-ID.scope", "libpod-ID.scope" where systemd keeps the cgroups, and
// "ID" where the engine does. The monitors "crio-conmon-ID.scope" and "libpod-conmon-ID.scope" are not in the
// container.
std::string_view id_in(std::string_view folder)
{
    folder = without_suffix(folder, ".scope");
    if (folder.size() < id_digits)
        return {};
    const auto id = folder.substr(folder.size() - id_digits);
    const auto engine = folder.substr(0, folder.size() - id_digits);
    const bool named = engine.empty() || engine.ends_with('-');
    return named && is_container_id(id) && !engine.ends_with("conmon-") ? id : std::string_view{};
}

struct Naming {
    std::string_view parent; // of the folder; empty: any
    std::string_view prefix;
    std::string_view suffix;
};
constexpr std::array namings{
    Naming{"lxc", "", ""},                         // LXC before 4, and LXD
    Naming{"lxc.payload", "", ""},                 // LXC 4
    Naming{"", "lxc.payload.", ""},                // later
    Naming{"machine.slice", "machine-", ".scope"}, // systemd-machined: systemd-nspawn by hand, libvirt
    Naming{"machine.slice", "systemd-nspawn@", ".service"},
};

std::string_view name_in(std::string_view parent, std::string_view folder)
{
    for (const auto &naming : namings) {
        if ((naming.parent.empty() || naming.parent == parent) && folder.starts_with(naming.prefix) &&
            folder.ends_with(naming.suffix) && folder.size() > naming.prefix.size() + naming.suffix.size())
            return folder.substr(naming.prefix.size(), folder.size() - naming.prefix.size() - naming.suffix.size());
    }
    return {};
}

// Takes the last folder off.
std::string_view take_last(std::string_view &path)
{
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string_view::npos ? path : path.substr(slash + 1);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
    return folder;
}

} // namespace

bool is_container_id(std::string_view container)
{
    return container.size() == id_digits &&
           std::ranges::all_of(container, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string_view container_of(std::string_view path)
{
    while (!path.empty()) {
        const auto folder = take_last(path);
        if (const auto id = id_in(folder); !id.empty())
            return id;
        auto above = path;
        if (const auto name = name_in(take_last(above), folder); !name.empty())
            return name;
    }
    return {};
}

std::string_view short_container(std::string_view container)
{
    constexpr std::size_t shown_digits = 12;
    return is_container_id(container) ? container.substr(0, shown_digits) : container;
}

} // namespace tcpflight
