#include "filter/cgroup_match.h"

#include "filter/glob.h"
#include "model/cgroup.h"

#include <charconv>
#include <string>

namespace tcpflight {
namespace {

bool holds_of(std::string_view pattern, std::string_view path)
{
    while (!path.empty()) {
        if (glob_matches(pattern, path))
            return true;
        auto slash = path.rfind('/');
        path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
    }
    return glob_matches(pattern, "/");
}

// "\x2d" becomes "-".
std::string unescape_systemd(std::string_view text)
{
    constexpr std::size_t size = 4;
    std::string plain;
    for (std::size_t at = 0; at < text.size(); at++) {
        unsigned byte = 0;
        auto escape = text.substr(at, size);
        bool is_escape = escape.size() == size && escape.starts_with("\\x") &&
                         std::from_chars(escape.data() + 2, escape.data() + size, byte, 16).ptr == escape.end();
        plain += is_escape ? static_cast<char>(byte) : text[at];
        at += is_escape ? size - 1 : 0;
    }
    return plain;
}

// As it is, or as systemd means it.
template <typename Matches> bool either_way(std::string_view text, const Matches &matches)
{
    if (matches(text))
        return true;
    auto plain = unescape_systemd(text);
    return plain != text && matches(std::string_view(plain));
}

} // namespace

bool cgroup_matches(std::string_view pattern, std::string_view path)
{
    return either_way(path, [pattern](std::string_view text) { return holds_of(pattern, text); });
}

bool container_matches(std::string_view pattern, std::string_view container)
{
    if (container.empty())
        return false;
    if (is_container_id(container))
        return glob_matches(std::string(pattern) + '*', container);
    return either_way(container, [pattern](std::string_view text) { return glob_matches(pattern, text); });
}

} // namespace tcpflight
