// One recording, of one file or several, through a pipeline.
#pragma once

#include "app/pipeline.h"
#include "app/replay_files.h"
#include "cli/options.h"
#include "recording/reader.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tcpflight {

class RecordingStream : public RecordingConsumer {
public:
    enum class Step : std::uint8_t {
        More, // there is more
        Edge, // no more for now: the file may still grow
        Over, // the end, or the rest is not wanted
    };
    struct Hooks {
        std::function<Result<std::unique_ptr<InputFile>>(const ReplayFile &)> open;
        // What the pipeline has put out is to be taken now and then: after each record, if there is anything. False: no
        // more is wanted.
        std::function<bool()> after_record;
    };

    // `options` and `sink` outlive it. `files`: at least one; as find_order() has them. `origin`: the wall-clock time
    // that --from and --to without a date are of; none: the begin of the first file.
    RecordingStream(const Options &options, std::optional<std::uint64_t> count, Sink &sink,
                    std::vector<ReplayFile> files, Hooks hooks, std::optional<std::int64_t> origin);

    // Reads a block. `grows`: what is not whole at the end may still be written (Edge); otherwise it is told, and the
    // next file follows. An error ends it; what waits in the pipeline is still to be shown.
    Result<Step> read(bool grows);

    [[nodiscard]] Pipeline &pipeline() { return pipeline_; }
    [[nodiscard]] const Pipeline &pipeline() const { return pipeline_; }
    [[nodiscard]] bool is_damaged() const { return damaged_; }
    // Records, or parts of them, that only a newer version knows.
    [[nodiscard]] std::uint64_t unknown() const { return unknown_ + (reader_ ? reader_->unknown() : 0); }
    // Of its first file.
    [[nodiscard]] const StartInfo &start() const { return files_.front().start; }

    bool record(std::span<const std::byte> bytes) override;
    void clock(const ClockAnchor &anchor) override { pipeline_.set_clock(anchor); }
    void entry_point(const EntryPoint &entry) override;
    void damage(const Damage &damage) override;

private:
    enum class Join : std::uint8_t {
        New,    // another recording
        GoesOn, // where the file before ended
        Gap,    // of the same recording, but not all between them was read
    };

    Result<void> open_next();
    Result<void> begin(const StartInfo &start);
    void end_file();

    const Options &options_;
    std::vector<ReplayFile> files_;
    Hooks hooks_;
    std::optional<std::int64_t> origin_;
    Pipeline pipeline_;

    std::size_t next_ = 0; // of files_
    std::optional<RecordingReader> reader_;
    std::string name_;                // of the file that is read
    std::optional<StartInfo> before_; // of the file read last
    bool before_whole_ = false;
    Join join_ = Join::New;
    std::optional<std::int64_t> from_ns_;
    std::uint64_t damaged_records_ = 0;
    std::uint64_t unknown_ = 0;
    bool damaged_ = false;
};

} // namespace tcpflight
