#include "app/replay_files.h"

#include "filter/quote.h"
#include "recording/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace tcpflight {
namespace {

bool is_folder(const std::string &path)
{
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

} // namespace

Result<std::unique_ptr<InputFile>> open_input(const std::string &path)
{
    if (path == "-")
        return input_from(STDIN_FILENO);
    if (is_folder(path))
        return failure(fmt::format("{} is a folder: give the recordings in it", quote(path)));
    auto file = real_disk().open(path);
    if (!file)
        return failure(fmt::format("cannot open {}: {}", quote(path), std::strerror(file.error())));
    return std::move(*file);
}

Result<std::vector<ReplayFile>> find_order(const std::vector<std::string> &paths)
{
    std::vector<ReplayFile> files;
    if (paths.size() == 1) {
        files.push_back({paths.front(), {}}); // perhaps a pipe, which can be looked into only once
        return files;
    }
    std::map<std::array<std::uint8_t, 16>, std::int64_t> begins; // of each recording
    for (const auto &path : paths) {
        auto file = open_input(path);
        if (!file)
            return tl::unexpected(file.error());
        if (!(*file)->is_seekable())
            return failure(fmt::format("{} is a pipe or a device: give it alone", quote(path)));
        auto reader = RecordingReader::open(std::move(*file), path);
        if (!reader)
            return tl::unexpected(reader.error());
        files.push_back({path, reader->start()});
        auto &start = files.back().start;
        auto [begin, is_new] = begins.try_emplace(start.recording_id, start.clock.wall_ns);
        begin->second = std::min(begin->second, start.clock.wall_ns);
    }
    // Within a recording by number: somebody may have set the clock back.
    auto key = [&](const ReplayFile &file) {
        return std::tuple(begins[file.start.recording_id], file.start.recording_id, file.start.file_number);
    };
    std::stable_sort(files.begin(), files.end(),
                     [&](const ReplayFile &a, const ReplayFile &b) { return key(a) < key(b); });
    return files;
}

void skip_until(std::vector<ReplayFile> &files, std::int64_t wall_ns)
{
    auto first = files.begin();
    while (first != files.end() && std::next(first) != files.end() && std::next(first)->follows(first->start) &&
           std::next(first)->start.clock.wall_ns <= wall_ns)
        ++first;
    files.erase(files.begin(), first);
}

} // namespace tcpflight
