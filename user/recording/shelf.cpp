#include "recording/shelf.h"

#include "recording/format.h"
#include "recording/rotation.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <tuple>
#include <utility>

namespace tcpflight {
namespace {

namespace fs = std::filesystem;

bool begins_as_recording(Disk &disk, const std::string &path)
{
    std::array<char, FileHeader::file_magic.size()> magic{};
    auto file = disk.open(path);
    if (!file || !(*file)->is_seekable()) // a pipe would be waited for
        return false;
    auto size = (*file)->read_at(0, std::as_writable_bytes(std::span(magic)));
    return size && *size == magic.size() && magic == FileHeader::file_magic;
}

bool fits(const std::string &name, const std::string &pattern)
{
    if (fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0)
        return true;
    auto number = name.find_last_not_of("0123456789") + 1;
    for (auto end = name.size() - 1; end >= number && end > 0; end--) {
        if (fnmatch(pattern.c_str(), name.substr(0, end).c_str(), FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

} // namespace

Shelf::Shelf(Disk &disk, std::uint64_t keep_bytes, std::vector<Item> items)
    : disk_(disk), keep_bytes_(keep_bytes), items_(items.begin(), items.end())
{
    for (const auto &item : items_)
        total_ += item.bytes;
}

void Shelf::begin(const std::string &path)
{
    auto same = std::find_if(items_.begin(), items_.end(), [&](const Item &item) { return item.path == path; });
    if (same != items_.end()) {
        total_ -= same->bytes;
        items_.erase(same);
    }
    current_ = path;
}

std::vector<Shelf::Refusal> Shelf::make_room(std::uint64_t current_bytes)
{
    std::vector<Refusal> refusals;
    while (!items_.empty() && total_ + current_bytes > keep_bytes_) {
        auto oldest = std::move(items_.front());
        items_.pop_front();
        total_ -= oldest.bytes;
        if (auto removed = disk_.remove(oldest.path); !removed && removed.error() != ENOENT)
            refusals.push_back({std::move(oldest.path), removed.error()});
    }
    return refusals;
}

void Shelf::end(std::uint64_t bytes)
{
    items_.push_back({std::exchange(current_, {}), bytes});
    total_ += bytes;
}

std::vector<Shelf::Item> find_recordings(Disk &disk, const std::string &name, bool has_conversions)
{
    const fs::path path(name);
    auto pattern = name_pattern(path.filename().string(), has_conversions);
    auto folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    std::vector<std::pair<fs::file_time_type, Shelf::Item>> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        auto file_name = entry->path().filename();
        std::error_code vanished;
        bool is_file = entry->is_regular_file(vanished) && !entry->is_symlink(vanished);
        if (!is_file || !fits(file_name.string(), pattern))
            continue;
        auto full = (path.has_parent_path() ? path.parent_path() / file_name : file_name).string();
        auto bytes = entry->file_size(vanished);
        auto written = vanished ? fs::file_time_type{} : entry->last_write_time(vanished);
        if (!vanished && begins_as_recording(disk, full))
            found.emplace_back(written, Shelf::Item{full, bytes});
    }
    std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) {
        return std::tie(a.first, a.second.path) < std::tie(b.first, b.second.path);
    });
    std::vector<Shelf::Item> items;
    for (auto &[written, item] : found)
        items.push_back(std::move(item));
    return items;
}

} // namespace tcpflight
