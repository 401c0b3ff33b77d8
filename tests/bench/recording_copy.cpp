// recording_copy IN OUT: writes the records of a recording once more, and again and again until OUT is large enough,
// each time with later times and other connections. Prints what it wrote and the CPU time of the writer as one JSON
// object.
#include "stop_watch.h"

#include "decode/decode.h"
#include "recording/reader.h"
#include "recording/writer.h"
#include "table/table.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace tcpflight::bench {
namespace {

// How much later, and how far away, the records of a pass are from those in the file.
struct Shift {
    std::uint64_t time_ns = 0;
    std::uint64_t cookie = 0;
};

// Records are collected until a block is full: then the writer has closed the block before, and what the table knows is
// what it should know, although only the writer is timed.
class Copier : public RecordingConsumer {
public:
    Copier(std::unique_ptr<OutputFile> file, const StartInfo &start)
        : writer_(std::move(file), {.start = start}, table_)
    {
    }

    bool record(std::span<const std::byte> bytes) override
    {
        tf_header header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        last_ns_ = std::max<std::uint64_t>(last_ns_, header.time_ns);
        last_cookie_ = std::max<std::uint64_t>(last_cookie_, header.cookie);
        header.time_ns += shift_.time_ns;
        header.cookie += header.cookie != 0 ? shift_.cookie : 0;
        auto begin = bytes_.size();
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        std::memcpy(bytes_.data() + begin, &header, sizeof(header));
        ends_.push_back(bytes_.size());
        if (ends_.size() == max_block_count)
            write();
        return true;
    }
    void clock(const ClockAnchor & /*anchor*/) override {}
    void entry_point(const EntryPoint & /*entry*/) override {}
    void damage(const Damage &damage) override { throw std::runtime_error("the recording is damaged: " + damage.what); }

    void write()
    {
        watch_.time([&] { for_each([&](std::span<const std::byte> record) { writer_.write(record); }); });
        Record record{};
        for_each([&](std::span<const std::byte> bytes) {
            if (decode(bytes, record) == DecodeError::None)
                table_.observe(record);
        });
        bytes_.clear();
        ends_.clear();
    }
    // The records come once more, from `first_ns` on behind those that came last.
    void repeat(std::uint64_t first_ns)
    {
        shift_.time_ns += last_ns_ - first_ns;
        shift_.cookie += last_cookie_;
    }
    void finish()
    {
        bool done = true;
        watch_.time([&] { done = writer_.finish().has_value(); });
        if (!done)
            throw std::runtime_error("it could not be written");
    }
    [[nodiscard]] RecordingWriter::Totals totals() const { return writer_.totals(); }
    [[nodiscard]] double seconds() const { return watch_.seconds(); }
    [[nodiscard]] std::uint64_t last_ns() const { return last_ns_ + shift_.time_ns; }

private:
    template <typename Use> void for_each(Use &&use) const
    {
        std::size_t begin = 0;
        for (auto end : ends_) {
            use(std::span(bytes_).subspan(begin, end - begin));
            begin = end;
        }
    }

    Table table_;
    RecordingWriter writer_;
    StopWatch watch_;
    Shift shift_;
    std::uint64_t last_ns_ = 0;
    std::uint64_t last_cookie_ = 0;
    std::vector<std::byte> bytes_;
    std::vector<std::size_t> ends_;
};

RecordingReader open_reader(const std::string &path)
{
    auto file = real_disk().open(path);
    if (!file)
        throw std::runtime_error("cannot open " + path + ": " + std::strerror(file.error()));
    auto reader = RecordingReader::open(std::move(*file), path);
    if (!reader)
        throw std::runtime_error(reader.error().message);
    return std::move(*reader);
}

void copy(const std::string &from, const std::string &to, std::uint64_t least_bytes)
{
    auto file = real_disk().create(to, Replace::Recordings);
    if (!file)
        throw std::runtime_error("cannot create " + to + ": " + std::strerror(file.error()));
    const auto start = open_reader(from).start();
    Copier copier(std::move(*file), start);
    do {
        if (copier.totals().records != 0)
            copier.repeat(start.clock.boot_ns);
        auto reader = open_reader(from);
        for (bool more = true; more;) {
            auto step = reader.read(copier);
            more = step && *step == RecordingReader::Step::More;
        }
        copier.write();
        if (copier.totals().records == 0)
            throw std::runtime_error("there is nothing in " + from);
    } while (copier.totals().bytes < least_bytes);
    copier.finish();
    auto totals = copier.totals();
    fmt::print(R"({{"records":{},"bytes":{},"writer_cpu_s":{:.6f},"begin_s":{:.6f},"end_s":{:.6f}}})"
               "\n",
               totals.records, totals.bytes, copier.seconds(), static_cast<double>(start.clock.wall_ns) / 1e9,
               static_cast<double>(start.clock.to_wall(copier.last_ns())) / 1e9);
}

} // namespace
} // namespace tcpflight::bench

int main(int argc, char **argv)
{
    CLI::App app("Copies a recording's records, as often as it takes, and measures the writer.", "recording_copy");
    std::string from;
    std::string to;
    std::uint64_t bytes = 0;
    app.add_option("IN", from)->required();
    app.add_option("OUT", to)->required();
    app.add_option("--bytes", bytes, "repeat the records until OUT has so many; 0: once")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        tcpflight::bench::copy(from, to, bytes);
        return 0;
    } catch (const std::exception &error) {
        fmt::print(stderr, "recording_copy: {}\n", error.what());
        return 1;
    }
}
