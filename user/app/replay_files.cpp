#include "app/replay_files.h"

#include "app/report.h"
#include "filter/quote.h"
#include "recording/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace tcpflight {
namespace {

bool is_folder(const std::string &path)
{
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_file(const std::string &path)
{
    struct stat status {};
    return path != "-" && stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<std::unique_ptr<InputFile>> open_path(const std::string &path)
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

bool report_damage(const MergedFile &merged, const std::string &path)
{
    if (merged.damaged_bytes() != 0)
        report_error({fmt::format("{} is damaged between its parts, {} bytes: what was in them is missing in some part",
                                  quote(path), merged.damaged_bytes())},
                     0);
    if (merged.is_cut_off())
        report_error({fmt::format("{} is cut off: the end of some part may be missing", quote(path))}, 0);
    return merged.damaged_bytes() != 0 || merged.is_cut_off();
}

} // namespace

std::string ReplayFile::name() const
{
    std::string shown = path == "-" ? "standard input" : path;
    if (merged)
        return fmt::format("{}, part {}{}", shown, source + 1, start.host.empty() ? "" : " (" + start.host + ")");
    return shown;
}

Result<std::unique_ptr<InputFile>> ReplayFile::open() const
{
    if (merged)
        return MergedFile::source(merged, source);
    return open_path(path);
}

std::vector<ReplayFile> sources_in(const std::shared_ptr<MergedFile> &merged, const std::string &path, bool &damaged)
{
    std::vector<ReplayFile> files;
    damaged |= report_damage(*merged, path == "-" ? "standard input" : path);
    for (std::uint32_t source = 0; source < merged->sources(); source++) {
        if (merged->source_size(source) != 0)
            files.push_back({.path = path, .start = {}, .merged = merged, .source = source});
    }
    return files;
}

Result<std::vector<ReplayFile>> find_sources(const std::string &path, bool &damaged)
{
    std::shared_ptr<MergedFile> merged;
    if (is_file(path)) { // a pipe can be opened only once
        auto input = open_path(path);
        if (!input)
            return tl::unexpected(input.error());
        auto opened = MergedFile::open(std::move(*input), path);
        if (!opened)
            return tl::unexpected(opened.error());
        merged = std::move(*opened);
    }
    if (merged)
        return sources_in(merged, path, damaged);
    return std::vector<ReplayFile>{{.path = path, .start = {}, .merged = {}}};
}

Result<ReplayFile> look_into(ReplayFile file)
{
    auto input = file.open();
    if (!input)
        return tl::unexpected(input.error());
    if (!(*input)->is_seekable())
        return failure(fmt::format("{} is a pipe or a device: only files can be read together", quote(file.path)));
    auto reader = RecordingReader::open(std::move(*input), file.name());
    if (!reader)
        return tl::unexpected(reader.error());
    file.start = reader->start();
    return file;
}

Result<std::vector<ReplayFile>> find_order(const std::vector<std::string> &paths, bool &damaged)
{
    std::vector<ReplayFile> files;
    for (const auto &path : paths) {
        auto sources = find_sources(path, damaged);
        if (!sources)
            return tl::unexpected(sources.error());
        std::ranges::move(*sources, std::back_inserter(files));
    }
    if (files.size() == 1 && !files.front().merged)
        return files; // perhaps a pipe, which can be looked into only once
    return order(std::move(files));
}

Result<std::vector<ReplayFile>> order(std::vector<ReplayFile> files)
{
    std::map<std::array<std::uint8_t, 16>, std::int64_t> begins; // of each recording
    for (auto &file : files) {
        auto looked = look_into(std::move(file));
        if (!looked)
            return tl::unexpected(looked.error());
        file = std::move(*looked);
        auto [begin, is_new] = begins.try_emplace(file.start.recording_id, file.start.clock.wall_ns);
        begin->second = std::min(begin->second, file.start.clock.wall_ns);
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
