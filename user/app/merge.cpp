#include "app/merge.h"

#include "app/pipe_output.h"
#include "app/replay_files.h"
#include "app/report.h"
#include "filter/quote.h"
#include "recording/merged_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

namespace tcpflight {
namespace {

// A file on its way into the merged one.
struct Source {
    StartInfo start;
    std::string name;
    Pieces pieces;
    std::optional<Pieces::Piece> next;
    std::int64_t wall_ns = 0; // when it begins

    IoResult<void> advance()
    {
        auto piece = pieces.next();
        if (!piece)
            return tl::unexpected(piece.error());
        next = *piece;
        if (next && next->time_ns != 0)
            wall_ns = start.clock.to_wall(next->time_ns);
        return {};
    }
};

bool is_same_file(const std::string &a, const std::string &b)
{
    struct stat first {};
    struct stat second {};
    return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

Result<std::vector<ReplayFile>> choose(const Options &options, bool &damaged)
{
    for (const auto &path : options.read->files) {
        if (is_same_file(path, options.record->path))
            return failure(
                fmt::format("{} is one of the files to merge: give another name", quote(options.record->path)));
    }
    std::vector<ReplayFile> files;
    for (const auto &path : options.read->files) {
        auto sources = find_order({path}, damaged);
        if (!sources)
            return tl::unexpected(sources.error());
        std::ranges::move(*sources, std::back_inserter(files));
    }
    return files;
}

Result<std::vector<Source>> open_sources(const std::vector<ReplayFile> &files)
{
    constexpr std::array<std::uint8_t, 16> not_known{};
    std::vector<Source> sources;
    std::set<std::pair<std::array<std::uint8_t, 16>, std::uint32_t>> there;
    for (const auto &file : files) {
        auto looked = look_into(file);
        if (!looked)
            return tl::unexpected(looked.error());
        const auto &start = looked->start;
        if (start.recording_id != not_known && !there.emplace(start.recording_id, start.file_number).second) {
            report_error({fmt::format("{} is left out: the same file of the same recording is there already",
                                      quote(looked->name()))},
                         0);
            continue;
        }
        auto input = file.open();
        if (!input)
            return tl::unexpected(input.error());
        sources.push_back({.start = start,
                           .name = looked->name(),
                           .pieces = Pieces(std::move(*input)),
                           .next = {},
                           .wall_ns = start.clock.wall_ns});
    }
    if (sources.size() > max_sources)
        return failure(fmt::format("{} files are more than can be merged: {}", sources.size(), max_sources));
    return sources;
}

tl::unexpected<Error> cannot_read(const Source &source, int error)
{
    return failure(fmt::format("cannot read {}: {}", quote(source.name), std::strerror(error)));
}

Result<std::uint64_t> write_all(std::vector<Source> &sources, const std::string &path, bool force)
{
    auto output = create_output(path, force, -1);
    if (!output)
        return tl::unexpected(output.error());
    auto cannot_write = [&](int error) {
        return failure(fmt::format("cannot write to {}: {}", quote_output(path), std::strerror(error)));
    };
    MergedWriter writer(std::move(*output));
    for (auto &source : sources) {
        if (auto done = source.advance(); !done)
            return cannot_read(source, done.error());
    }
    for (;;) {
        auto begin = [](const Source &source) {
            return source.next ? source.wall_ns : std::numeric_limits<std::int64_t>::max();
        };
        auto first = std::ranges::min_element(sources, {}, begin);
        if (first == sources.end() || !first->next)
            break;
        auto number = static_cast<std::uint32_t>(first - sources.begin());
        if (auto done = writer.add(number, first->next->bytes); !done)
            return cannot_write(done.error());
        if (auto done = first->advance(); !done)
            return cannot_read(*first, done.error());
    }
    if (auto done = writer.finish(); !done)
        return cannot_write(done.error());
    return writer.bytes();
}

Result<int> start(const Options &options)
{
    bool damaged = false;
    auto files = choose(options, damaged);
    if (!files)
        return tl::unexpected(files.error());
    auto sources = open_sources(*files);
    if (!sources)
        return tl::unexpected(sources.error());
    auto bytes = write_all(*sources, options.record->path, options.record->force);
    if (!bytes)
        return tl::unexpected(bytes.error());
    report_merged(sources->size(), *bytes);
    return damaged ? 1 : 0;
}

} // namespace

int merge(const Options &options)
{
    return exit_status(start(options), options.verbosity);
}

} // namespace tcpflight
