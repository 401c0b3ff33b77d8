// Events of several recordings in the order of their wall-clock times. A recording's own events keep their order; where
// its clock was set back, they follow each other at once.
#pragma once

#include "app/pipeline.h"
#include "app/recording_stream.h"
#include "sink/sink.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tcpflight {

class Interleave {
public:
    // Each group: the files of one recording, as for a RecordingStream.
    Interleave(const Options &options, std::vector<std::vector<ReplayFile>> groups, Sink &sink);
    Interleave(const Interleave &) = delete;
    Interleave &operator=(const Interleave &) = delete;
    ~Interleave();

    // Puts the next event out, to `out`. False: there are no more, or the count is reached. `go_on` is asked
    // between blocks; once it says no, this says false. A recording that cannot be read on is reported, and the others
    // go on.
    bool next(std::string &out, const std::function<bool()> &go_on);

    // Of what was put out, and what was read for it and not shown.
    [[nodiscard]] Pipeline::Totals totals() const;
    [[nodiscard]] bool is_damaged() const;
    [[nodiscard]] std::uint64_t unknown() const;

private:
    class Lane;

    Lane *earliest(const std::function<bool()> &go_on);

    [[nodiscard]] bool counts(const Event &event) const;

    const Options &options_;
    Sink &sink_;
    bool begun_ = false;
    bool shows_hosts_ = false;
    bool has_written_block_ = false; // of any lane
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::uint64_t shown_ = 0;
    std::uint64_t counted_ = 0; // towards options.count
};

} // namespace tcpflight
